using System.CommandLine;
using Harepd.Clock;
using Harepd.Config;
using Harepd.Control;
using Harepd.Core.Model;
using Harepd.Haproxy;
using Harepd.Postgres.Fencing;
using Harepd.Postgres.Hba;
using Harepd.Runtime;

namespace Harepd.Cli;

/// <summary><c>harepd fence -f FILE</c>: takes the right to write from this server, whatever a daemon thinks; and at boot, before it starts.</summary>
internal static class FenceCommand
{
    // Not the daemon's budget: nobody waits for this lease to end, and every session may be ended by itself before the server is stopped.
    private static readonly TimeSpan FenceTime = TimeSpan.FromSeconds(5);

    public static Command Build(Option<string?> file, Manual manual)
    {
        var span = new Option<string?>("--for") { Description = "Let the daemon keep it shut for so long, at most 7 days; default: shut it once, with or without a daemon", HelpName = "DURATION" };
        var acceptOutage = new Option<bool>("--accept-outage") { Description = "With --for on the primary: although nobody could take over" };
        var dryRun = new Option<bool>("--dry-run") { Description = "With --for: only the checks; nothing is changed" };
        var command = new Command("fence", "Close the gate of this server, running or not.") { span, acceptOutage, dryRun };
        manual.Add(command, """
            With PostgreSQL down, as at boot (harepd-fence.service), pg_hba.conf is closed so that the server comes back shut. With
            PostgreSQL running, HAProxy is told to send nobody here, clients are refused and their sessions ended; the server is
            stopped where that cannot be confirmed. A daemon that holds the lease opens the gate again.

            With --for the daemon does it and keeps it so: gate shut, lease released and not asked for again, no readers, until then or
            harepd unfence; over restarts of the daemon, too. A standby takes over where it may, after failover.stopGrace. Where none could,
            a primary is fenced only with --accept-outage. Exit codes: 0 fenced and confirmed, 69 not confirmed or no daemon answers, 75
            refused, 70 not confirmed by the daemon yet, 78 wrong configuration.

            Examples:
              harepd fence -f /etc/harepd.yml
              harepd fence -f /etc/harepd.yml --for 2h
            """);
        command.SetAction(async (parsed, stop) =>
        {
            if (ConfigFile.Read(parsed, file, DaemonMode.Both, out var exitCode) is not { } read)
            {
                return exitCode;
            }

            if (parsed.GetValue(span) is not { } text)
            {
                if (parsed.GetValue(acceptOutage) || parsed.GetValue(dryRun))
                {
                    await parsed.InvocationConfiguration.Error.WriteLineAsync("--accept-outage and --dry-run belong to --for: say how long the fence shall last");
                    return ExitCodes.Usage;
                }

                return await FenceAsync(read.Config, parsed.InvocationConfiguration.Output);
            }

            return await LocalOrderCommands.SpanOf(parsed, text) is { } wanted
                ? await ControlText.FollowAsync(
                    read.Config.RunDir,
                    new ControlRequest("fence", PauseMs: wanted.TotalMilliseconds, DryRun: parsed.GetValue(dryRun), AcceptsOutage: parsed.GetValue(acceptOutage)),
                    isJson: false, parsed.InvocationConfiguration, stop)
                : ExitCodes.Usage;
        });
        return command;
    }

    private static async Task<int> FenceAsync(HarepdConfig config, TextWriter output)
    {
        var deadline = BootClock.Now + FenceTime;

        // HAProxy may be far away and dead: it is told beside the fence, which does not wait for it.
        var cuts = Task.WhenAll(config.Haproxy.Endpoints.Select(endpoint => Task.Run(() => Cut(endpoint, config.Haproxy, deadline))));
        var postgres = PostgresDoor.SettingsOf(config);
        using var gate = new HbaGate(postgres, PostgresDoor.PolicyOf(config));
        using var fencer = new Fencer(postgres, gate, new FenceSettings { StopWhenUnconfirmed = config.Fence.StopPostmaster });
        var result = fencer.Fence(gate.Inspect().OnDisk?.Term ?? Term.None, deadline, "ordered on the command line");
        await output.WriteLineAsync($"{(result.IsConfirmed ? "fenced" : "NOT CONFIRMED")} after {result.Took.TotalMilliseconds:0} ms: {result.Detail}");
        await output.WriteLineAsync($"sessions ended: {result.SessionsEnded}, left: {result.SessionsLeft}, server stopped: {result.Stop}");
        foreach (var line in await cuts)
        {
            await output.WriteLineAsync(line);
        }

        return result.IsConfirmed ? ExitCodes.Ok : ExitCodes.Unavailable;
    }

    private static string Cut(HaproxyEndpoint endpoint, HaproxyConfig config, Instant deadline)
    {
        var target = new HaproxyTarget(config.WriteBackend, config.ReadBackend, config.ServerName);
        var cut = new HaproxyDoor(endpoint, target, config.Timeout).CutNow(deadline);
        return $"HAProxy {endpoint.Name}: {(cut.IsCut ? "cut" : "not cut")}, {cut.Detail}";
    }
}
