// The composition root: the only place that reads system clocks and wires the rooms together.
int main() { return 0; }
