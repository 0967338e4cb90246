using System.Globalization;
using System.Text;
using Harepd.Core.Model;
using Harepd.Files;
using Harepd.Postgres.Linux;
using Harepd.Postgres.Wire;

namespace Harepd.Postgres;

/// <summary>
/// Finds the server's data folder and its postmaster. Where the configuration names no folder, the kernel does: the listener of the unix socket is the
/// postmaster, and it stands in its data folder. The last folder found is kept for the time when the server is down, and one that was noted by an earlier run counts until
/// another is found. Thread-safe.
/// </summary>
internal sealed class DataFolder(PostgresSettings settings)
{
    private volatile string? _found = ReadNote(settings);

    /// <summary>The folder by configuration or by the last look; null while unknown.</summary>
    public string? Known => settings.DataDirectory ?? _found;

    /// <summary>
    /// Writes the folder down, so that a later run knows it although the server is stopped; waits for the disk. Nothing where the configuration names one, and where it cannot
    /// be written.
    /// </summary>
    public void Note()
    {
        if (settings is { DataDirectory: null, FolderNote: { } note } && _found is { } found && found != ReadNote(settings))
        {
            _ = AtomicFile.Replace(note, Encoding.UTF8.GetBytes(found));
        }
    }

    private static string? ReadNote(PostgresSettings settings)
    {
        try
        {
            return settings.FolderNote is { } note && File.Exists(note) && File.ReadAllText(note) is { Length: > 1 and < 4096 } folder
                && folder[0] == '/' && File.Exists(Path.Combine(folder, "PG_VERSION"))
                ? folder
                : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Takes the folder from a process that is known to be the postmaster.</summary>
    public void Remember(int listenerPid)
    {
        if (listenerPid > 0 && ProcessFacts.LinkTarget($"/proc/{listenerPid.ToString(CultureInfo.InvariantCulture)}/cwd") is { } folder
            && File.Exists(Path.Combine(folder, "PG_VERSION")))
        {
            _found = folder;
        }
    }

    /// <summary>
    /// Looks for the running postmaster: by postmaster.pid, and where that names none, by who listens on the socket. At most until <paramref name="deadline"/>.
    /// </summary>
    public PostmasterSearch FindPostmaster(Instant deadline)
    {
        var reason = "the data folder is unknown";
        if (Known is { } folder && Postmaster.OfFolder(folder, out reason) is { } named)
        {
            return new PostmasterSearch(named, IsCertain: true, "");
        }

        using var channel = PgChannel.TryConnect(settings.Endpoint("find"), deadline, interrupt: null, out var fault);
        if (channel is null)
        {
            return new PostmasterSearch(null, fault?.Kind == PgFaultKind.NotThere, $"{reason}, and {fault?.Message}");
        }

        Remember(channel.ListenerPid);
        var listener = channel.ListenerPid > 0 ? Postmaster.OfProcess(channel.ListenerPid, Known ?? "", isListener: true, out reason) : null;
        return new PostmasterSearch(listener, listener is not null, listener is null ? $"{reason}, yet somebody listens on {settings.Endpoint("find")}" : "");
    }
}

/// <summary>What a look for the postmaster gave. Dispose what was found.</summary>
/// <param name="Found">The running postmaster; null when there is none or it cannot be told.</param>
/// <param name="IsCertain">False where "none" is only not knowing: nobody may conclude that the server is down.</param>
/// <param name="Reason">Why none was found, in one sentence.</param>
internal readonly record struct PostmasterSearch(Postmaster? Found, bool IsCertain, string Reason);
