using System.Diagnostics;
using System.Globalization;
using Harepd.Clock;
using Harepd.Core.Act;
using Harepd.Core.Model;
using Harepd.Postgres.Watch;

namespace Harepd.Postgres.Control;

/// <summary>
/// Makes a returned old primary, or a standby that went astray with one, a standby of the new one: stop, pg_rewind where it has what the new one never had, start.
/// Synchronous, for one thread at a time.
/// Whatever can be checked is checked before the first change; what only this server has is kept.
/// </summary>
internal sealed class ServerRejoin(PostgresSettings settings, string stateDir, ServerProcess process)
{
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ReadyTime = TimeSpan.FromSeconds(60);

    /// <summary>Does it, and says whether trying again is of use where it failed.</summary>
    /// <param name="order">Whom to follow, and until when.</param>
    /// <param name="mayStop">Asked just before the server is stopped: null, or what forbids it.</param>
    /// <param name="isFinal">A half-done rewind: only a person can go on.</param>
    public ControlResult Run(Effect.RejoinServer order, Func<string?> mayStop, out bool isFinal)
    {
        isFinal = false;
        var upstream = new Upstream(settings, order.Host, order.Port);
        var unready = upstream.AwaitCheckpointOn(order.Timeline.Timeline, Instant.Min(order.Until, BootClock.Now + ReadyTime));
        if (unready is not null)
        {
            return ControlResult.Refused(unready);
        }

        var prepared = process.Prepare(order.Host, order.Port, order.Until, mayBeStandby: true);
        if (!prepared.IsDone)
        {
            return prepared;
        }

        if (mayStop() is { } forbidden)
        {
            return ControlResult.Refused(forbidden);
        }

        var stop = process.Stop(Instant.Min(order.Until, BootClock.Now + StopTime));
        if (ControlFile.Read(process.DataDirectory) is not { IsShutDown: true } control || process.DataDirectory is not { } data)
        {
            // Not rewound, so it may be started again by whoever starts it, shut as it is.
            return ControlResult.Refused($"the server was not stopped cleanly: {stop.Detail}");
        }

        var slot = upstream.EnsureSlot(process.SlotName, order.Until);
        var rewound = Rewind(order, control, data, upstream, out isFinal);
        if (!rewound.IsDone)
        {
            return rewound;
        }

        var started = process.StartAsStandbyOf(order.Host, order.Port, order.Until);
        var detail = string.Join("; ", new[] { rewound.Detail, started.Detail, slot ?? "" }.Where(text => text.Length > 0));
        return started.IsDone ? ControlResult.Done(detail) : ControlResult.Refused(detail);
    }

    /// <summary>Nothing is to be rewound where the new timeline left the old one after the last thing that this server wrote.</summary>
    private ControlResult Rewind(Effect.RejoinServer order, ControlFile control, string data, Upstream upstream, out bool isFinal)
    {
        isFinal = false;
        // A standby's last checkpoint says nothing of what it received; a primary's is the end of what it wrote.
        var end = control.State == ControlState.ShutDown ? control.Checkpoint : order.Received;
        if (order.Timeline.Timeline == control.Timeline + 1 && end < order.Timeline.SwitchLsn)
        {
            return ControlResult.Done("nothing had diverged");
        }

        if (process.ProgramOf("pg_rewind") is not { } program)
        {
            return ControlResult.Refused("pg_rewind was not found: set postgres.binDirectory");
        }

        var kept = Path.Combine(stateDir, "rejoin", order.Term.Value.ToString(CultureInfo.InvariantCulture));
        var local = new LocalFiles(data, kept);
        local.Keep();
        var tail = local.KeepTail(control.Timeline, order.Timeline.SwitchLsn, end);
        var range = $"timeline {control.Timeline} from {order.Timeline.SwitchLsn} to {end}";
        local.Note($"What this server had and the primary of term {order.Term} on timeline {order.Timeline} never got: {range}, {tail} WAL segments (pg_waldump reads them).\n");
        var (exitCode, output) = RunProgram(program, ["--target-pgdata", data, "--source-server", upstream.ConnInfo, "--progress"], order.Until);
        var lost = local.Restore();
        if (exitCode != 0 || lost is not null)
        {
            isFinal = true;
            return ControlResult.Refused($"pg_rewind ended with {exitCode}: {output}{(lost is null ? "" : $"; {lost}")}; it may need a new clone; what was here before is in {kept}");
        }

        return ControlResult.Done($"rewound; what only this server had, {range}, is kept in {kept}");
    }

    /// <summary>Its output is short and its children end with it, so it may be read.</summary>
    private static (int ExitCode, string Output) RunProgram(string program, string[] arguments, Instant until)
    {
        var start = new ProcessStartInfo(program, arguments) 
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
            WorkingDirectory = "/",
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        _ = process.StandardOutput.ReadToEndAsync();
        var left = until - BootClock.Now;
        if (left <= TimeSpan.Zero || !process.WaitForExit(left))
        {
            process.Kill();
            return (-1, "not done in time");
        }

        var lines = errors.Wait(TimeSpan.FromSeconds(2)) ? errors.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) : [];
        return (process.ExitCode, string.Join(" | ", lines.Where(line => !line.Contains('%', StringComparison.Ordinal)).TakeLast(3)));
    }
}
