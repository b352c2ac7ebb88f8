. /usr/lib/venera/environment
