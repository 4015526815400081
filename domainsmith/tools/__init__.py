"""Tools: functions that the model may choose. The same ones serve agents, scripts and servers."""
