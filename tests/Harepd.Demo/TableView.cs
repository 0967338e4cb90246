using Harepd.Core.Model;
using Harepd.Lab.Machine;
using Spectre.Console;

namespace Harepd.Demo;

/// <summary>The live table on a terminal: nodes, gates, HAProxy, the writers' gap, and what has happened so far.</summary>
internal sealed class TableView : IDemoView
{
    private const int HistoryLimit = 12;

    private readonly Lock gate = new();
    private readonly Instant begun = LabClock.Now;
    private readonly Queue<string> history = new();
    private readonly TaskCompletionSource end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task live;
    private string step = "";
    private Snapshot? last;

    public TableView() => live = Task.Run(DrawUntilEndAsync);

    public void Step(string text)
    {
        lock (gate)
        {
            step = text;
            Remember($"[grey]{(LabClock.Now - begun).TotalSeconds,6:0.0}s[/] {Markup.Escape(text)}");
        }
    }

    public void Report(DemoEvent happened)
    {
        var colour = happened.Ok ? "green" : "red";
        var text = $"{happened.Event} {happened.From} → {happened.To}: gap {happened.WriteGapMs:0} ms, promotion to first write "
            + $"{happened.PromotionToFirstWriteMs:0} ms, {happened.WritesAcknowledged} acknowledged, {happened.WritesLost} lost, "
            + $"two writers {happened.TwoWritersMs:0} ms{string.Concat(happened.Wrong.Select(wrong => "; " + wrong))}";
        lock (gate)
        {
            Remember($"[grey]{(LabClock.Now - begun).TotalSeconds,6:0.0}s[/] [{colour}]{Markup.Escape(text)}[/]");
        }
    }

    public void Show(Snapshot snapshot)
    {
        lock (gate)
        {
            last = snapshot;
        }
    }

    public async ValueTask DisposeAsync()
    {
        end.TrySetResult();
        await live;
    }

    private async Task DrawUntilEndAsync() =>
        await AnsiConsole.Live(Draw()).AutoClear(false).StartAsync(async context =>
        {
            while (!end.Task.IsCompleted)
            {
                context.UpdateTarget(Draw());
                await Task.WhenAny(end.Task, Task.Delay(100));
            }

            context.UpdateTarget(Draw());
        });

    private Rows Draw()
    {
        lock (gate)
        {
            var nodes = new Table().RoundedBorder().Title("harepd: primary, standby and witness under repmgr, HAProxy in front");
            foreach (var column in new[] { "node", "address", "PostgreSQL", "timeline", "a client gets", "daemon", "lease", "HAProxy write", "HAProxy read" })
            {
                nodes.AddColumn(column);
            }

            foreach (var node in last?.Nodes ?? [])
            {
                nodes.AddRow(
                    node.Name,
                    node.Address,
                    Coloured(node.Role, node.Role == "primary"),
                    node.Timeline == 0 ? "" : $"{node.Timeline}",
                    Coloured(node.Gate, node.Gate == "writes"),
                    Coloured(node.Daemon, node.Daemon == "running"),
                    Markup.Escape(node.Lease),
                    Coloured(node.Write, node.Write is "UP" or "no check"),
                    Coloured(node.Read, node.Read is "UP" or "no check"));
            }

            var writes = last is null
                ? "starting …"
                : $"writes acknowledged {last.WritesAcknowledged}, failed {last.WritesFailed}, last one {last.SinceLastWrite.TotalMilliseconds:0} ms ago";
            return new Rows(
                nodes,
                new Markup(Markup.Escape(writes)),
                new Markup($"[yellow]{Markup.Escape(step)}[/]"),
                new Markup(string.Join("\n", history)));
        }
    }

    private static string Coloured(string text, bool good) => good ? $"[green]{Markup.Escape(text)}[/]" : Markup.Escape(text);

    private void Remember(string line)
    {
        history.Enqueue(line);
        while (history.Count > HistoryLimit)
        {
            history.Dequeue();
        }
    }
}
