using System.Collections.Immutable;
using System.Globalization;
using Harepd.Clock;
using Harepd.Core.Model;

namespace Harepd.Haproxy;

/// <summary>Sends commands and reads the resulting state back in the same batch. Thread-safe: it keeps nothing between calls.</summary>
internal sealed class RuntimeDialogue
{
    private readonly RuntimeClient _client;
    private readonly HaproxyTarget _target;
    private readonly ImmutableArray<string> _questions;

    public RuntimeDialogue(RuntimeClient client, HaproxyTarget target)
    {
        _client = client;
        _target = target;
        _questions =
        [
            "show info",
            .. Questions(target.WriteBackend),
            .. target.SteersReads ? Questions(target.ReadBackend!) : [],
        ];
    }

    /// <summary>
    /// Carries out the commands in order and returns what HAProxy then states. Commands that do not fit one line go in several
    /// batches; a batch that fails ends the attempt. A reading is returned even where a command was refused: judge by it.
    /// </summary>
    internal HaproxyReading Do(ReadOnlySpan<string> commands, Instant deadline)
    {
        const int room = RuntimeClient.LongestLine / 2;
        var batch = new List<string>();
        var length = 0;
        var refusals = "";
        foreach (var command in commands)
        {
            if (length + command.Length > room)
            {
                var answer = _client.Ask(batch, deadline);
                if (answer is RuntimeAnswer.Failed failed)
                {
                    return new HaproxyReading(null, failed.Reason);
                }

                refusals = Join(refusals, Complaint(((RuntimeAnswer.Blocks)answer).Texts));
                batch.Clear();
                length = 0;
            }

            batch.Add(command);
            length += command.Length + 8;
        }

        batch.AddRange(_questions);
        var begun = BootClock.Now;
        return _client.Ask(batch, deadline) switch
        {
            RuntimeAnswer.Failed failed => new HaproxyReading(null, failed.Reason),
            RuntimeAnswer.Blocks blocks => Read(blocks.Texts, begun, refusals),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    private static string[] Questions(string backend) => [$"show servers state {backend}", $"show stat {backend} 4 -1"];

    private HaproxyReading Read(ImmutableArray<string> blocks, Instant begun, string refusals)
    {
        var rows = new List<ServerRow>();
        var stats = new Dictionary<(string, string), ServerStat>();
        var tables = 0;
        foreach (var block in blocks.Where(ServersState.Is))
        {
            if (ServersState.Parse(block, out var reason) is not { } table)
            {
                return new HaproxyReading(null, $"HAProxy answered {reason}");
            }

            tables++;
            rows.AddRange(table);
        }

        foreach (var stat in blocks.Where(ServerStats.Is).SelectMany(b => ServerStats.Parse(b) ?? []))
        {
            stats[(stat.Backend, stat.Name)] = stat;
        }

        // A backend that HAProxy does not know is a complaint; the other one is still read, so that a wrong read backend cannot hide the writes.
        var complaint = Join(refusals, Complaint(blocks));
        if (tables == 0)
        {
            return new HaproxyReading(null, complaint.Length > 0 ? $"HAProxy says: {complaint}" : "HAProxy answered without a table of servers");
        }

        var info = blocks.FirstOrDefault(IsInfo) ?? "";
        return new HaproxyReading(
            new HaproxyView
            {
                At = begun,
                Pid = int.TryParse(Value(info, "Pid"), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0,
                Version = Value(info, "Version"),
                IsStopping = Value(info, "Stopping") == "1",
                Write = Of(_target.WriteBackend),
                Read = _target.SteersReads ? Of(_target.ReadBackend!) : [],
                Complaint = complaint,
            },
            "");

        ImmutableArray<ServerRow> Of(string backend) =>
        [
            .. rows.Where(r => string.Equals(r.Backend, backend, StringComparison.Ordinal))
                .Select(r => stats.TryGetValue((backend, r.Name), out var stat)
                    ? r with { Sessions = stat.Sessions, Status = $"{stat.Status} {stat.LastCheck}".Trim() }
                    : r),
        ];
    }

    private static bool IsInfo(string block) => block.StartsWith("Name: ", StringComparison.Ordinal);

    private static string Value(string info, string key)
    {
        foreach (var line in info.Split('\n'))
        {
            if (line.StartsWith(key, StringComparison.Ordinal) && line.AsSpan(key.Length).StartsWith(": "))
            {
                return line[(key.Length + 2)..].Trim();
            }
        }

        return "";
    }

    /// <summary>The first lines of the blocks that are neither success nor data.</summary>
    private static string Complaint(ImmutableArray<string> blocks)
    {
        var complaints = blocks
            .Where(b => b.Length > 0 && !ServersState.Is(b) && !ServerStats.Is(b) && !IsInfo(b))
            .Select(b => b.Split('\n', 2)[0].Trim())
            .Where(l => l.Length > 0)
            .Distinct(StringComparer.Ordinal)
            .Take(3);
        var joined = string.Join("; ", complaints);
        return joined.Length <= 200 ? joined : joined[..200];
    }

    private static string Join(string left, string right) =>
        left.Length == 0 ? right : right.Length == 0 || left.Contains(right, StringComparison.Ordinal) ? left : $"{left}; {right}";
}
