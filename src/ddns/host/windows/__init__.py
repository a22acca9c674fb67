"""Windows: each module is one seam that `ddns.host.posix`, or Linux itself, has too."""
