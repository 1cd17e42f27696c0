"""Official and public interfaces, one small file each: a call in, offers or a named fault out. All pure."""
