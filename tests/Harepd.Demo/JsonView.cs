using System.Text.Json;
using Harepd.Core.Model;
using Harepd.Lab.Machine;

namespace Harepd.Demo;

/// <summary>One JSON object a line on standard output for every event; steps, for people, on standard error.</summary>
internal sealed class JsonView : IDemoView
{
    private readonly Instant begun = LabClock.Now;

    public void Step(string text) => Console.Error.WriteLine($"  {(LabClock.Now - begun).TotalSeconds,6:0.0}s {text}");

    public void Report(DemoEvent happened) => Console.Out.WriteLine(JsonSerializer.Serialize(happened));

    public void Show(Snapshot snapshot)
    {
        // Events alone: a line for each look would bury them.
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
