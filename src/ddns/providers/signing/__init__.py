"""How cloud providers have their requests signed: one scheme a module, a request in, its headers out."""
