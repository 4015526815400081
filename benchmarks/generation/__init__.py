"""Speed of answering prompts, against pipelines and static batches of transformers."""
