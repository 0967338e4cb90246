using Harepd.Cli;

using var signals = HostSignals.Register();
return await CommandLine.RunAsync(args, signals, Console.Out, Console.Error);
