namespace nines::store {}
