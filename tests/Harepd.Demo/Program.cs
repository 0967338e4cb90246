using System.Runtime.InteropServices;
using Harepd.Demo;
using Harepd.Lab;
using Harepd.Lab.Machine;
using Spectre.Console;

const int ExitFailed = 1;
const int ExitUsage = 64;
const int ExitInterrupted = 130;

if (DemoOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine("usage: demo [--check] [--rounds N]");
    return ExitUsage;
}

var interrupted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal);

// Without a terminal there is nothing to draw on.
IDemoView view = options.Check || !AnsiConsole.Profile.Capabilities.Ansi ? new JsonView() : new TableView();
var logs = "";
var cluster = default(LabCluster);
try
{
    var run = RunAsync();
    if (await Task.WhenAny(run, interrupted.Task) != run)
    {
        view.Step("interrupted: cleaning up");
        // What the unfinished run still says, when its servers are pulled from under it, is of no interest.
        _ = run.ContinueWith(task => task.Exception, TaskScheduler.Default);
        return ExitInterrupted;
    }

    return (await run).Ok ? 0 : ExitFailed;
}
catch (LabException e)
{
    var lines = e.Message.Split('\n', 2);
    view.Report(new DemoEvent { Event = "failed", Wrong = [lines[0]] });
    logs = $"{(lines.Length > 1 ? lines[1] + "\n" : "")}{cluster?.Describe()}";
    return ExitFailed;
}
finally
{
    if (cluster is not null)
    {
        await cluster.DisposeAsync();
    }

    await view.DisposeAsync();
    Console.Error.Write(logs);
}

async Task<DemoEvent> RunAsync()
{
    cluster = await LabCluster.StartAsync(new LabClusterOptions { OwnSignals = true }, view.Step);
    await using var clients = new DemoClients(cluster);
    await using var observer = new Observer(cluster, clients, view);
    return await new DemoRun(cluster, clients, view).RunAsync(options.Rounds);
}

void OnSignal(PosixSignalContext context)
{
    context.Cancel = true;
    interrupted.TrySetResult();
}
