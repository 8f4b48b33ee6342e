namespace nines::agent {}
