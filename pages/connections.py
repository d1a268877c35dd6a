"""Other systems that send and ask over HTTP: their tokens, how they fare, and what was not taken."""

from lastmile.ui import connections
from lastmile.ui.desk import open_desk

desk = open_desk("Connections", when="none")
connections.show(desk)
