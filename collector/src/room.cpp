namespace nines::collector {}
