using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Postgres.Fencing;
using Harepd.Postgres.Linux;

namespace Harepd.Postgres.Control;

/// <summary>
/// What starts PostgreSQL: <c>postgres.startCommand</c>, or pg_ctl with the options that the server had; and where its programs are. Whether it may be started is not asked
/// here. Synchronous, for one thread at a time.
/// </summary>
internal sealed class ServerLaunch(PostgresSettings settings)
{
    private static readonly TimeSpan ReapTime = TimeSpan.FromSeconds(1);

    private string? _binDirectory = settings.BinDirectory;
    private string? _logFile;

    /// <summary>One of PostgreSQL's programs; null where it is not found.</summary>
    /// <param name="name">Such as <c>pg_ctl</c>.</param>
    /// <param name="data">The data folder, which tells them where no server was seen running; null while it is unknown.</param>
    public string? ProgramOf(string name, string? data) =>
        (_binDirectory ?? (data is null ? null : BinOfOptions(data))) is { } bin && File.Exists(Path.Combine(bin, name)) ? Path.Combine(bin, name) : null;

    /// <summary>Where the programs and the log of a running server are, for the start that follows.</summary>
    public void Remember(Postmaster run)
    {
        var process = "/proc/" + run.Pid.ToString(CultureInfo.InvariantCulture);
        _binDirectory ??= Path.GetDirectoryName(ProcessFacts.LinkTarget(process + "/exe"));
        if (ProcessFacts.LinkTarget(process + "/fd/2") is { } log && File.Exists(log) && log.StartsWith('/') && !log.StartsWith("/dev/", StringComparison.Ordinal))
        {
            _logFile = log;
        }
    }

    /// <summary>Runs it, and waits for its end.</summary>
    /// <param name="data">The data folder.</param>
    /// <param name="until">Boot-time clock; given up then.</param>
    public ControlResult Run(string data, Instant until)
    {
        ForgetTheUnreaped(data);
        var start = settings.StartCommand.Length > 0 ? new ProcessStartInfo("/bin/sh", ["-c", settings.StartCommand]) : PgCtl(data, until);
        if (start is null)
        {
            return ControlResult.Refused("pg_ctl was not found: set postgres.binDirectory or postgres.startCommand");
        }

        // What it starts would keep a pipe open for ever; what goes wrong is in the server's log.
        start.WorkingDirectory = "/";
        try
        {
            using var process = Process.Start(start)!;
            var left = until - BootClock.Now;
            if (left <= TimeSpan.Zero || !process.WaitForExit(left))
            {
                return ControlResult.Refused($"{Name} did not end in time");
            }

            return process.ExitCode == 0 ? ControlResult.Done("the server was started") : ControlResult.Refused(Describe(process.ExitCode));
        }
        catch (Exception error) when (error is Win32Exception or InvalidOperationException)
        {
            return ControlResult.Refused($"{Name} cannot be run: {error.Message}");
        }
    }

    /// <summary>
    /// A postmaster that was killed and that nobody has reaped makes pg_ctl and postgres believe that it runs, in a container without an init for ever. Its lock files are removed
    /// where no process of the folder lives; the server itself still looks at the shared memory.
    /// </summary>
    private void ForgetTheUnreaped(string data)
    {
        var until = BootClock.Now + ReapTime;
        while (Postmaster.IsUnreaped(data) && BootClock.Now < until)
        {
            Thread.Sleep(10);
        }

        if (Postmaster.IsUnreaped(data) && ServerSessions.OrphansIn(data).Count == 0)
        {
            File.Delete(Path.Combine(data, Postmaster.PidFile));
            File.Delete(string.Create(CultureInfo.InvariantCulture, $"{settings.Host}/.s.PGSQL.{settings.Port}.lock"));
        }
    }

    /// <summary>A restart of a server that does not run starts it with the options it had (<c>postmaster.opts</c>).</summary>
    private ProcessStartInfo? PgCtl(string data, Instant until)
    {
        var program = ProgramOf("pg_ctl", data);
        var seconds = Math.Max(1, (long)(until - BootClock.Now).TotalSeconds).ToString(CultureInfo.InvariantCulture);
        return program is null
            ? null
            : AsAnybody([program, "-D", data, "-s", "-w", "-t", seconds, "-l", _logFile ?? Path.Combine(data, "harepd-start.log"), "restart"]);
    }

    /// <summary>
    /// Without the precedence that the daemon's unit gives the daemon (<c>Nice</c>, <c>OOMScoreAdjust</c>): a server is to have neither processors nor memory before
    /// the daemon that fences it, nor before what else runs. Whatever cannot be given up is kept.
    /// </summary>
    private static ProcessStartInfo AsAnybody(string[] command)
    {
        const string Script = "n=$(nice); [ \"$n\" -lt 0 ] || n=0; [ \"$(cat /proc/self/oom_score_adj)\" -ge 0 ] || echo 0 >/proc/self/oom_score_adj; exec nice -n $((-n)) \"$@\"";
        return new ProcessStartInfo("/bin/sh", ["-c", Script, "sh", .. command]);
    }

    private string Name => settings.StartCommand.Length > 0 ? "postgres.startCommand" : "pg_ctl";

    private string Describe(int exitCode) => string.Create(
        CultureInfo.InvariantCulture, $"{Name} ended with exit code {exitCode}; the server's log says why");

    private static string? BinOfOptions(string data)
    {
        try
        {
            var words = File.ReadAllText(Path.Combine(data, "postmaster.opts")).Split(' ', 2);
            return words[0].StartsWith('/') ? Path.GetDirectoryName(words[0]) : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
