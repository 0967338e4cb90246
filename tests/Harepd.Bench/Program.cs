using Harepd.Bench;

// Steering and failover beside their floors on real servers are not here yet; `./build.sh demo --check --rounds N` prints those durations.
CoreBench.Run(Console.Out);
return 0;
