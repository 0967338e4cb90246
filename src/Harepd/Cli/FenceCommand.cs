using System.CommandLine;
using Harepd.Clock;
using Harepd.Config;
using Harepd.Core.Model;
using Harepd.Haproxy;
using Harepd.Postgres.Hba;
using Harepd.Runtime;

namespace Harepd.Cli;

/// <summary><c>harepd fence -f FILE</c>: takes the right to write from this server, whatever a daemon thinks; and at boot, before it starts.</summary>
internal static class FenceCommand
{
    private static readonly TimeSpan FenceTime = TimeSpan.FromSeconds(10);

    public static Command Build(Option<string?> file, Manual manual)
    {
        var command = new Command("fence", "Close the gate of this server, running or not.");
        manual.Add(command, """
            With PostgreSQL down, as at boot (harepd-fence.service), pg_hba.conf is closed so that the server comes back shut. With
            PostgreSQL running, HAProxy is told to send nobody here, clients are refused and their sessions ended. A daemon that
            holds the lease opens the gate again. Exit codes: 0 fenced and confirmed, 69 not confirmed, 78 wrong configuration.

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
        using var gate = new HbaGate(PostgresFrom.Settings(config), PostgresFrom.Policy(config));
        var result = gate.Apply(Gate.Fenced, gate.Inspect().OnDisk?.Term ?? Term.None, deadline);
        await output.WriteLineAsync($"{config.HbaConfig}: {result.Outcome}, gate {result.Gate}, {(result.IsConfirmed ? "confirmed" : "not confirmed")} {result.Reason}".TrimEnd());
        foreach (var line in await cuts)
        {
            await output.WriteLineAsync(line);
        }

        return result is { IsDone: true, IsConfirmed: true } ? ExitCodes.Ok : ExitCodes.Unavailable;
    }

    private static string Cut(HaproxyEndpoint endpoint, HaproxyConfig config, Instant deadline)
    {
        var target = new HaproxyTarget(config.WriteBackend, config.ReadBackend, config.ServerName);
        var cut = new HaproxyDoor(endpoint, target, config.Timeout).CutNow(deadline);
        return $"HAProxy {endpoint.Name}: {(cut.IsCut ? "cut" : "not cut")}, {cut.Detail}";
    }
}
