"""The papers that a notice takes along: its letter as .docx and .pdf, and the table to be filled in."""
