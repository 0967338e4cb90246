using System.CommandLine;
using Harepd.Clock;
using Harepd.Config;
using Harepd.Core.Model;
using Harepd.Core.Share;
using Harepd.Peers;
using Harepd.Postgres.Control;
using Harepd.Postgres.Hba;
using Harepd.Runtime;

namespace Harepd.Cli;

/// <summary><c>harepd reinit -f FILE</c>: replaces this node's data folder by a fresh copy of the primary's, where a rewind is not enough.</summary>
internal static class ReinitCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public static Command Build(Option<string?> file, Manual manual)
    {
        var force = new Option<bool>("--force") { Description = "Do it; without this only the checks are made" };
        var keep = new Option<bool>("--keep-old") { Description = "Leave the old data folder beside the new one, as DATA.harepd-old" };
        var command = new Command("reinit", "Replace this node's data by a fresh copy of the primary's.") { force, keep };
        manual.Add(command, """
            Runs on a node that is not the primary, as the user who owns the data folder, and asks this node's daemon who the primary is.
            pg_basebackup copies it beside the data folder while the old server still runs; then the server is stopped, the folders change
            places, this node's own *.conf files are kept, and the server is started as a standby. Until the folders change places a failure
            changes nothing. What only this node had is lost with its old folder. Exit codes: 0 done, or nothing stands in the way, 69 no
            daemon answers, 75 refused or failed.

            Example:
              runuser -u postgres -- harepd reinit -f /etc/harepd.yml --force
            """);
        command.SetAction(async (parsed, stop) =>
        {
            if (ConfigFile.Read(parsed, file, DaemonMode.ClientOnly, out var exitCode) is not { } read)
            {
                return exitCode;
            }

            var (output, errors) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            var (primary, problem) = await PrimaryAsync(read.Config, stop);
            if (primary is null)
            {
                await errors.WriteLineAsync(problem);
                return ExitCodes.Unavailable;
            }

            var settings = PostgresDoor.SettingsOf(read.Config);
            var process = new ServerProcess(settings);
            process.Find(BootClock.Now + Patience);
            var clone = new ServerClone(settings, process, output.WriteLine);
            if (clone.Hindrance() is { } hindrance)
            {
                await errors.WriteLineAsync(hindrance);
                return ExitCodes.Temporary;
            }

            await output.WriteLineAsync($"{process.DataDirectory} would be replaced by a copy of {primary.NodeName} ({primary.Address}:{primary.ServerPort}, timeline {primary.Timeline})");
            if (!parsed.GetValue(force))
            {
                await output.WriteLineAsync("nothing stands in the way; --force does it");
                return ExitCodes.Ok;
            }

            return await RunAsync(read.Config, clone, primary, parsed.GetValue(keep), parsed.InvocationConfiguration, stop);
        });
        return command;
    }

    private static async Task<int> RunAsync(HarepdConfig config, ServerClone clone, NodeReport primary, bool keepsOld, InvocationConfiguration invocation, CancellationToken stop)
    {
        using var only = ServerLock.TryTake(config.RunDir, BootClock.Now, out var error);
        if (only is null)
        {
            await invocation.Error.WriteLineAsync($"the daemon, or another command, is at this server: {error}");
            return ExitCodes.Temporary;
        }

        var done = await Task.Run(() => clone.Run(primary.Address, primary.ServerPort, keepsOld, () => Forbids(config, stop), stop), CancellationToken.None);
        await (done.IsDone ? invocation.Output : invocation.Error).WriteLineAsync(done.Detail);
        return done.IsDone ? ExitCodes.Ok : ExitCodes.Temporary;
    }

    /// <summary>A copy takes its time: what was asked at the beginning is asked once more before the server is stopped.</summary>
    private static string? Forbids(HarepdConfig config, CancellationToken stop)
    {
        using var gate = new HbaGate(PostgresDoor.SettingsOf(config), PostgresDoor.PolicyOf(config));
        var (primary, problem) = PrimaryAsync(config, stop).GetAwaiter().GetResult();
        return gate.Inspect().OnDisk is { Gate: Gate.ReadWrite } ? "this node's gate is open for writes" : primary is null ? problem : null;
    }

    /// <summary>The member that holds the lease with its gate open, unless it is this one.</summary>
    private static async Task<(NodeReport? Primary, string Problem)> PrimaryAsync(HarepdConfig config, CancellationToken stop)
    {
        var access = PeerAccess.Of(config.Grpc);
        var probe = access.Options is { } options ? await PeerProbe.AskAsync(config.Self, options, Patience, stop) : new PeerProbe.Failed(access.Error);
        if (probe is not PeerProbe.Told(var status))
        {
            return (null, $"{config.Self} does not tell its state: {(probe is PeerProbe.Failed(var why) ? why : "it is no harepd of this generation")}");
        }

        var holder = status.Reports.FirstOrDefault(report => report is { HeldTerm.Value: > 0, Gate: Gate.ReadWrite, InRecovery: false, Address.Length: > 0 });
        return holder is null ? (null, "nobody holds the lease with an open gate, so there is nothing to copy")
            : holder.Member == config.Self ? (null, "this node is the primary")
            : (holder, "");
    }
}
