// What of SQLite's static library stays out of the program: FTS3 and R*Tree. Every connection
// registers what was built in by calling these; where they are found here, the linker does not take
// the modules from the archive. (FTS5, the knowledge base, stays.)
struct sqlite3;
extern "C" int sqlite3Fts3Init(sqlite3*);
extern "C" int sqlite3RtreeInit(sqlite3*);

namespace {
constexpr int kOk = 0;  // SQLITE_OK: there is no such module, and that is no failure
}

int sqlite3Fts3Init(sqlite3*) { return kOk; }
int sqlite3RtreeInit(sqlite3*) { return kOk; }
