using System.CommandLine;
using Harepd.Clock;
using Harepd.Config;
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
        var command = new Command("fence", "Close the gate of this server, running or not.");
        manual.Add(command, """
            With PostgreSQL down, as at boot (harepd-fence.service), pg_hba.conf is closed so that the server comes back shut. With
            PostgreSQL running, HAProxy is told to send nobody here, clients are refused and their sessions ended; the server is
            stopped where that cannot be confirmed. A daemon that holds the lease opens the gate again. Exit codes: 0 fenced and confirmed, 69 not confirmed, 78 wrong configuration.

            Example:
              harepd fence -f /etc/harepd.yml
            """);
        command.SetAction(async parsed => ConfigFile.Read(parsed, file, DaemonMode.Both, out var exitCode) is { } read
            ? await FenceAsync(read.Config, parsed.InvocationConfiguration.Output)
            : exitCode);
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
