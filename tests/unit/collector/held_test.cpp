// A consumer that holds a record back because it might go on: it must get the end of it, or be told
// that there is none, whatever becomes of the file and of the process.
#include <catch2/catch.hpp>

#include "tail_fixture.hpp"

using namespace nines;                      // NOLINT(google-build-using-namespace)
using namespace nines::collector;           // NOLINT(google-build-using-namespace)
using namespace nines::collector::testing;  // NOLINT(google-build-using-namespace)

namespace {

struct HolderRig : Rig {
  explicit HolderRig(bool extra, const char* pattern = "app.log")
      : Rig(pattern), in_extra(extra), holder(lines, extra) {
    consumer = &holder;
  }
  bool in_extra;
  Holder holder;
};

template <class Body>
void in_every_way(Body&& body) {
  for (const bool in_extra : {false, true}) {
    for (const Between between : kEveryBetween) {
      CAPTURE(in_extra, static_cast<int>(between));
      HolderRig rig(in_extra);
      body(rig, between);
    }
  }
}

}  // namespace

TEST_CASE("A record that goes on is one record, also when it goes on after a restart") {
  in_every_way([](HolderRig& rig, Between between) {
    append(rig.log(), "a\nb\n");
    rig.drain();
    CHECK(rig.lines.all == Strings{"a"});
    rig.save();
    rig.down(between);
    append(rig.log(), " more\n");
    rig.drain();
    rig.pass_ms(rig.options.hold_ms - 10);
    CHECK(rig.lines.all == Strings{"a"});
    append(rig.log(), " still\nc\n");
    rig.drain();
    CHECK(rig.lines.all == Strings{"a", "b more still"});
  });
}

TEST_CASE("A record held back is taken when nothing came for hold_ms, once") {
  in_every_way([](HolderRig& rig, Between between) {
    append(rig.log(), "a\nb\n");
    rig.drain();
    rig.save();
    rig.down(between);
    rig.drain();
    CHECK(rig.lines.all == Strings{"a"});
    CHECK(rig.tailer->due().ns <= rig.clock.now_ns + rig.options.hold_ms * kNsPerMs);
    rig.pass_ms(rig.options.hold_ms);
    CHECK(rig.lines.all == Strings{"a", "b"});
    rig.save();
    rig.down(between);
    rig.pass_ms(rig.options.hold_ms);
    rig.pass_ms(rig.options.hold_ms);
    CHECK(rig.lines.all == Strings{"a", "b"});
    append(rig.log(), "c\n");
    rig.drain();
    rig.pass_ms(rig.options.hold_ms);
    CHECK(rig.lines.all == Strings{"a", "b", "c"});
  });
}

TEST_CASE("A file that is rotated, or deleted, while its last record is held gives that too") {
  for (const bool deleted : {false, true}) {
    for (const bool quick : {false, true}) {  // gone before hold_ms
      in_every_way([&](HolderRig& rig, Between between) {
        CAPTURE(deleted, quick);
        append(rig.log(), "a\nb\n");
        rig.drain();
        rig.save();
        if (deleted) {
          remove_file(rig.log());
        } else {
          rename_file(rig.log(), rig.dir / "app.log.1");
        }
        // What is neither in a file nor in a state that was saved is gone with the process.
        const bool kept = !deleted || rig.in_extra;
        const bool process_stays = between == Between::nothing;
        rig.down(between);
        if (quick) rig.drain();
        for (int i = 0; i < 3; ++i) rig.pass_ms(60'000);
        Strings expected = {"a"};
        if (kept || process_stays) expected.emplace_back("b");
        CHECK(rig.lines.all == expected);
        rig.restart();
        rig.pass_ms(60'000);
        CHECK(rig.lines.all == expected);
      });
    }
  }
}

TEST_CASE("A file that is truncated while its last record is held gives that once") {
  in_every_way([](HolderRig& rig, Between between) {
    append(rig.log(), text_of(numbered(0, 50)));
    rig.drain();
    rig.save();
    rig.down(between);
    copy_file(rig.log(), rig.dir / "app.log.1");
    truncate_file(rig.log());
    append(rig.log(), text_of(numbered(50, 60)));
    rig.drain();
    rig.pass_ms(5'000);
    rig.pass_ms(60'000);
    CHECK(sorted(rig.lines.all) == sorted(numbered(0, 60)));
  });
}

TEST_CASE("A record held at the end of an archive is given when the archive is finished") {
  for (const bool in_extra : {false, true}) {
    HolderRig rig(in_extra, "*.gz");
    append(rig.dir / "x.gz", gzipped("a\nb\n more\n"));
    rig.drain();
    CHECK(rig.lines.all == Strings{"a", "b more"});
  }
}

TEST_CASE("read_some() to the end for good gives what is held back") {
  for (const bool in_extra : {false, true}) {
    HolderRig rig(in_extra);
    append(rig.log(), "a\nb\n");
    rig.start();
    rig.tailer->rescan();
    LogStream* file = rig.tailer->files().at(0);
    while (rig.tailer->read_some(*file, false)) {
    }
    CHECK(rig.lines.all == Strings{"a"});
    (void)rig.tailer->read_some(*file, true);
    CHECK(rig.lines.all == Strings{"a", "b"});
  }
}
