"""Crawls as units of work: what may run, what is to do, who is looked at again, what a person has to mend."""
