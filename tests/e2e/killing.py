"""What the tests share that kill the agent while logs grow: who writes them, and the killing."""
import random
import threading
import time


class LogWriter(threading.Thread):
    """Calls step() until it is told to end, and finish() then. An OSError of either is raised where
    the writer is looked at."""

    def __init__(self, seed):
        super().__init__(daemon=True)
        self.random = random.Random(seed)
        self.ending = threading.Event()
        self.error = None

    def step(self):
        raise NotImplementedError

    def finish(self):
        pass

    def run(self):
        try:
            while not self.ending.is_set():
                self.step()
            self.finish()
        except OSError as e:
            self.error = e

    def check(self):
        if self.error:
            raise self.error

    def end(self):
        self.ending.set()
        self.join()
        self.check()


def torture(start, writer, kills, lives, seed, last_words=lambda: ""):
    """Kills what start() gives `kills` times, after about one of `lives` seconds each."""
    chance = random.Random(seed + 1)
    for _ in range(kills):
        with start() as agent:
            ends = time.monotonic() + chance.choice(lives) * chance.uniform(0.3, 1.3)
            while time.monotonic() < ends:
                if not agent.alive():
                    raise RuntimeError("the agent ended by itself:\n" + last_words())
                time.sleep(0.005)
        writer.check()
