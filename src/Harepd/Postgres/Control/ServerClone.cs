using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Files;
using Harepd.Postgres.Linux;
using Harepd.Postgres.Watch;
using Harepd.Postgres.Wire;

namespace Harepd.Postgres.Control;

/// <summary>
/// Replaces this node's data folder by a fresh copy of the primary's. The copy is made beside the folder while the old server still runs, so that what fails before the swap
/// changes nothing; then the server is stopped, the folders change places, and the copy is started as a standby. Synchronous.
/// </summary>
/// <param name="settings">The server.</param>
/// <param name="process">Stops and starts it.</param>
/// <param name="tell">One line for people, as it goes.</param>
internal sealed class ServerClone(PostgresSettings settings, ServerProcess process, Action<string> tell)
{
    private const string Fresh = ".harepd-new";
    private const string Old = ".harepd-old";
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StartTime = TimeSpan.FromMinutes(5);

    /// <summary>Null, or why the folder cannot be replaced; nothing is changed.</summary>
    public string? Hindrance()
    {
        if (process.DataDirectory is not { } data || !Directory.Exists(data))
        {
            return "the data folder is not known: set postgres.dataDirectory";
        }

        var parent = Path.GetDirectoryName(Path.GetFullPath(data))!;
        return FileFacts.Of(data)?.User != Posix.EffectiveUser() ? $"{data} belongs to another user: run this as its owner"
            : process.ProgramOf("pg_basebackup") is null ? "pg_basebackup was not found: set postgres.binDirectory"
            : FileFacts.Of(data)?.Device != FileFacts.Of(parent)?.Device ? $"{data} is a file system of its own, so it cannot change places with a copy: clone by hand"
            : Directory.Exists(data + Old) ? $"{data + Old} is there from an earlier time: remove it first"
            : Directory.EnumerateFileSystemEntries(Path.Combine(data, "pg_tblspc")).Any() ? "there are tablespaces outside of the data folder: clone by hand"
            : null;
    }

    /// <summary>Does it. A failure before the swap leaves the server as it was; one after it leaves the old folder beside the new one, and says so.</summary>
    /// <param name="host">The primary.</param>
    /// <param name="port">Of its PostgreSQL.</param>
    /// <param name="keepsOld">Leave the old folder beside the new one.</param>
    /// <param name="mayStop">Asked when the copy is there: null, or what forbids to stop the server now.</param>
    /// <param name="stop">Ends the copying.</param>
    public ControlResult Run(string host, int port, bool keepsOld, Func<string?> mayStop, CancellationToken stop)
    {
        if (Hindrance() is { } hindrance)
        {
            return ControlResult.Refused(hindrance);
        }

        var data = Path.GetFullPath(process.DataDirectory!);
        Remove(data + Fresh);
        try
        {
            tell($"copying {host}:{port} to {data + Fresh}");
            if (Copy(host, port, data + Fresh, stop) is { } failure)
            {
                return ControlResult.Refused($"{failure}; nothing was changed");
            }

            if (mayStop() is { } forbidden)
            {
                return ControlResult.Refused($"{forbidden}; nothing was changed");
            }

            tell("stopping the old server");
            var stopped = process.Stop(BootClock.Now + StopTime);
            if (ControlFile.Read(data) is null || File.Exists(Path.Combine(data, "postmaster.pid")))
            {
                return ControlResult.Refused($"the server is not known to be down: {stopped.Detail}; the folder was not touched");
            }

            KeepConfiguration(data, data + Fresh, host, port);
            Swap(data);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return ControlResult.Refused($"{error.Message}; the old folder is {(Directory.Exists(data) ? data : data + Old)}");
        }
        finally
        {
            Remove(data + Fresh);
        }

        tell("starting the copy as a standby");
        var started = process.StartAsStandbyOf(host, port, BootClock.Now + StartTime);
        if (!started.IsDone)
        {
            return ControlResult.Refused($"{started.Detail}; the old folder is {data + Old}");
        }

        if (!keepsOld)
        {
            Remove(data + Old);
        }

        return ControlResult.Done($"a standby of {host}:{port}{(keepsOld ? $"; the old folder is {data + Old}" : "")}");
    }

    /// <summary>Null, or why not. The program's own progress goes to the terminal.</summary>
    private string? Copy(string host, int port, string into, CancellationToken stop)
    {
        string[] arguments =
        [
            "--pgdata", into, "--dbname", new Upstream(settings, host, port).ConnInfo, "--wal-method", "stream", "--checkpoint", "fast", "--progress", "--no-password",
        ];
        try
        {
            using var copying = Process.Start(new ProcessStartInfo(process.ProgramOf("pg_basebackup")!, arguments) { UseShellExecute = false, WorkingDirectory = "/" })!;
            using var ends = stop.Register(() => Kernel.Kill(copying.Id, Kernel.SigTerm));
            copying.WaitForExit();
            return copying.ExitCode == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"pg_basebackup ended with exit code {copying.ExitCode}");
        }
        catch (Win32Exception error)
        {
            return $"pg_basebackup cannot be run: {error.Message}";
        }
    }

    /// <summary>The node's own configuration files take the place of the primary's, and <c>primary_conninfo</c> names the primary.</summary>
    private void KeepConfiguration(string from, string to, string host, int port)
    {
        foreach (var path in Directory.EnumerateFiles(from, "*.conf").Concat(Directory.EnumerateFiles(from, "postmaster.opts")))
        {
            File.Copy(path, Path.Combine(to, Path.GetFileName(path)), overwrite: true);
        }

        var auto = Path.Combine(to, "postgresql.auto.conf");
        var lines = File.Exists(auto) ? File.ReadAllLines(auto).ToList() : [];
        var known = lines.FindLast(line => line.StartsWith("primary_conninfo", StringComparison.Ordinal)) is { } line
            ? line[(line.IndexOf('\'', StringComparison.Ordinal) + 1)..line.LastIndexOf('\'')].Replace("''", "'", StringComparison.Ordinal)
            : $"user={settings.ReplicationUser} application_name={settings.NodeName}";
        var wanted = ConnInfo.WithHost(known, host, port) ?? $"user={settings.ReplicationUser} application_name={settings.NodeName} host={host} port={port}";
        lines.RemoveAll(line => line.StartsWith("primary_conninfo", StringComparison.Ordinal));
        lines.Add($"primary_conninfo = '{wanted.Replace("'", "''", StringComparison.Ordinal)}'");
        File.WriteAllText(auto, string.Join('\n', lines) + "\n", new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
    }

    private static void Swap(string data)
    {
        Directory.Move(data, data + Old);
        try
        {
            Directory.Move(data + Fresh, data);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Directory.Move(data + Old, data);
            throw;
        }
    }

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
