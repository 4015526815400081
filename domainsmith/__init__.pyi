from domainsmith.apps.expert import Expert as Expert
from domainsmith.chains.answer import build_answer_chain as build_answer_chain
from domainsmith.chains.generate import generate_dataset as generate_dataset
from domainsmith.data_connection.index import Index as Index
from domainsmith.data_connection.sources import add_folder as add_folder
from domainsmith.errors import DomainSmithError as DomainSmithError
from domainsmith.model_io.load import load_chat as load_chat
from domainsmith.model_io.load import load_embedder as load_embedder
from domainsmith.model_io.load import load_engine as load_engine
from domainsmith.settings import load_settings as load_settings
from domainsmith.training.launch import launch as launch
from domainsmith.training.launch import status as status
from domainsmith.training.launch import wait as wait
from domainsmith.workspace import Workspace as Workspace

__version__: str
