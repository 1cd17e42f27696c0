"""A django-oscar shop as its documentation composes it, with Chinese goods: a marketplace none of us wrote.

``python -m oscarshop build FOLDER`` fills a folder with database, pictures and search index;
``python -m oscarshop serve FOLDER`` serves it on a free port.
"""
