"""A TCP proxy of the tests that is slow: every piece waits, and pieces of one connection keep their
order while those of others go by them. The kernel of a test machine often has no netem."""
import asyncio
import random
import threading


class ChaosProxy:
    """Listens on `listen` for each of `routes` (port -> (host, port)), in the namespace of the thread
    that made it. Each piece waits delay_s and up to jitter_s more."""

    def __init__(self, host, routes, delay_s, jitter_s, seed):
        self.host, self.routes = host, routes
        self.delay_s, self.jitter_s = delay_s, jitter_s
        self.random = random.Random(seed)
        self.pieces = self.overtaken = 0  # overtaken: by a younger piece of another connection
        self.newest = 0.0
        self.loop, self.ready = asyncio.new_event_loop(), threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        self.ready.wait(10)

    def run(self):
        asyncio.set_event_loop(self.loop)
        for port, target in self.routes.items():
            self.loop.run_until_complete(asyncio.start_server(
                lambda r, w, target=target: self.serve(r, w, target), self.host, port))
        self.ready.set()
        self.loop.run_forever()

    def end(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))

    async def serve(self, reader, writer, target):
        try:
            far_reader, far_writer = await asyncio.open_connection(*target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self.pump(reader, far_writer), self.pump(far_reader, writer))

    async def pump(self, reader, writer):
        """Delays do not add up: what waits is on its way, as on a long cable."""
        way, ends = asyncio.Queue(), None
        carrier = asyncio.ensure_future(self.carry(way, writer))
        while True:
            try:
                data = await reader.read(16384)
            except OSError:
                data = b""
            due = self.loop.time() + self.delay_s + self.random.uniform(0, self.jitter_s)
            ends = due if ends is None else max(due, ends)
            self.pieces += 1
            way.put_nowait((self.loop.time(), ends, data))
            if not data:
                break
        await carrier

    async def carry(self, way, writer):
        while True:
            came, due, data = await way.get()
            await asyncio.sleep(max(0, due - self.loop.time()))
            self.overtaken += came < self.newest
            self.newest = max(self.newest, came)
            if not data:
                writer.close()
                return
            try:
                writer.write(data)
                await writer.drain()
            except OSError:
                pass  # the reader's side ends it
