using Harepd.Bench;
using Harepd.Bench.Steering;
using Harepd.Lab.Machine;

const int ExitFailed = 1;
const int ExitUsage = 64;

if (BenchOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine(BenchOptions.Usage);
    return ExitUsage;
}

if (options.Suite is "" or "core")
{
    CoreBench.Run(options.Json ? Console.Error : Console.Out);
}

if (options.Suite is "" or "steering")
{
    try
    {
        await SteeringBench.RunAsync(options, Console.Out);
    }
    catch (LabException failure)
    {
        Console.Error.WriteLine(failure.Message);
        return ExitFailed;
    }
}

return 0;
