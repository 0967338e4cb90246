using System.CommandLine;
using Harepd.Clock;
using Harepd.Config;
using Harepd.Core.Model;
using Harepd.Files;
using Harepd.Postgres.Hba;
using Harepd.Runtime;

namespace Harepd.Cli;

/// <summary><c>harepd hba -f FILE --gate …</c>: shows pg_hba.conf as it would become at a gate, and with <c>--apply</c> makes it so.</summary>
internal static class HbaCommand
{
    private static readonly TimeSpan ApplyTime = TimeSpan.FromSeconds(10);

    public static Command Build(Option<string?> file, Manual manual)
    {
        var gate = new Option<string>("--gate") { Description = "readwrite, readonly or fenced", HelpName = "GATE", Required = true };
        gate.AcceptOnlyFromAmong("readwrite", "readonly", "fenced");
        var apply = new Option<bool>("--apply") { Description = "Write the file, reload PostgreSQL and confirm that it obeys" };
        var command = new Command("hba", "Show pg_hba.conf as it would become at a gate, or make it so.") { gate, apply };
        manual.Add(command, """
            Without --apply nothing is touched: the whole file goes to standard output, the difference to standard error.
            With --apply it is replaced whole, checked by the server, and put back if the server would not load it. Established
            sessions live on: "harepd fence" ends them. While the daemon runs here, it alone opens the gate (exit code 75).

            Examples:
              harepd hba -f /etc/harepd.yml --gate fenced
              harepd hba -f /etc/harepd.yml --gate readwrite --apply
            """);
        command.SetAction(parsed =>
        {
            if (ConfigFile.Read(parsed, file, DaemonMode.Both, out var exitCode) is not { } read)
            {
                return exitCode;
            }

            var wanted = parsed.GetValue(gate) switch { "readwrite" => Gate.ReadWrite, "readonly" => Gate.ReadOnly, _ => Gate.Fenced };
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            using var door = new HbaGate(PostgresDoor.SettingsOf(read.Config), PostgresDoor.PolicyOf(read.Config));
            return parsed.GetValue(apply) ? Apply(door, read.Config, wanted, output, error) : Show(door, read.Config, wanted, output, error);
        });
        return command;
    }

    private static int Show(HbaGate door, HarepdConfig config, Gate gate, TextWriter output, TextWriter error)
    {
        if (door.Preview(gate, TermOnDisk(door), out var reason) is not var (before, after))
        {
            error.WriteLine(reason);
            return ExitCodes.Unavailable;
        }

        output.Write(HbaText.ForPeople(HbaText.FromBytes(after.Bytes)));
        error.Write(after.Changed ? UnifiedDiff.Between(before, after.Bytes, config.HbaConfig!) : "No difference.\n");
        foreach (var note in after.Notes)
        {
            error.WriteLine($"note: {note}");
        }

        return ExitCodes.Ok;
    }

    private static int Apply(HbaGate door, HarepdConfig config, Gate gate, TextWriter output, TextWriter error)
    {
        using var alone = gate == Gate.Fenced ? null : FileLock.TryTake(CandidateLock(config), BootClock.Now, out _);
        if (gate != Gate.Fenced && alone is null && File.Exists(CandidateLock(config)))
        {
            error.WriteLine("harepd runs on this node, and it alone opens the gate: stop it first, or let it do so.");
            return ExitCodes.Temporary;
        }

        // The term on disk is kept: an operator's order is not a lease, and must not look newer than one (R11).
        var result = door.Apply(gate, TermOnDisk(door), BootClock.Now + ApplyTime);
        output.WriteLine($"{config.HbaConfig}: {result.Outcome}, gate {result.Gate}, term {result.Term}, {(result.IsConfirmed ? "confirmed" : "not confirmed")}");
        if (result.BackupPath.Length > 0)
        {
            output.WriteLine($"took over {result.TakenOver.Count} lines of the Go daemon; the old file is {result.BackupPath}");
        }

        foreach (var note in result.Notes.Append(result.Reason).Where(note => note.Length > 0))
        {
            error.WriteLine(note);
        }

        return result is { IsDone: true, IsConfirmed: true } ? ExitCodes.Ok : ExitCodes.Unavailable;
    }

    private static Term TermOnDisk(HbaGate door) => door.Inspect().OnDisk?.Term ?? Term.None;

    // The daemon holds this lock for as long as it lives (MemoryStore).
    private static string CandidateLock(HarepdConfig config) => Path.Combine(config.RunDir, "candidate.lock");
}
