"""What customers and staff were told: the outbox with receipts, the staff register, the ways to people, the texts."""

from lastmile.ui import notices
from lastmile.ui.desk import open_desk

desk = open_desk("Notices", when="none")
notices.show(desk)
