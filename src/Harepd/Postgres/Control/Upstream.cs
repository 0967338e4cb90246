using System.Globalization;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Postgres.Wire;

namespace Harepd.Postgres.Control;

/// <summary>
/// The new primary, as the server of this node will use it: asked over the network as the replication user, for what must be there before it is followed.
/// </summary>
internal sealed class Upstream(PostgresSettings settings, string host, int port)
{
    private const string Timeline = "select timeline_id from pg_control_checkpoint()";
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>How <c>pg_rewind</c> reaches it.</summary>
    public string ConnInfo =>
        string.Create(CultureInfo.InvariantCulture, $"host={host} port={port} user={settings.ReplicationUser} dbname={settings.ReplicationDatabase} application_name=harepd");

    /// <summary>
    /// Waits until its first checkpoint on a timeline is done, and asks for it where it is not: before that its pg_control still names the timeline of before, and a
    /// pg_rewind from it makes a server that does not start (PostgreSQL before 16). Null, or why not.
    /// </summary>
    public string? AwaitCheckpointOn(uint timeline, Instant until)
    {
        var reason = "";
        while (BootClock.Now < until)
        {
            using var session = Open(until, out var fault);
            reason = fault?.ToString() ?? "";
            var reply = session?.Query(Timeline, until);
            if (reply?.Value == timeline.ToString(CultureInfo.InvariantCulture))
            {
                return null;
            }

            reason = reply?.Fault?.ToString() ?? (reason.Length > 0 ? reason : $"its last checkpoint is on timeline {reply?.Value}");
            if (reply is { Fault: null })
            {
                _ = session!.Query(ControlSql.Checkpoint, until);
            }

            Thread.Sleep(Pause);
        }

        return $"{host}:{port} is not ready to be followed: {reason}";
    }

    /// <summary>Makes a physical replication slot there, where there is none of that name. Null, or why not.</summary>
    public string? EnsureSlot(string name, Instant until)
    {
        if (name.Length == 0)
        {
            return null;
        }

        using var session = Open(until, out var fault);
        var failure = session is null ? fault : session.Query(ControlSql.MakeSlot(name), until).Fault;
        return failure is null ? null : $"replication slot {name} cannot be made at {host}:{port}: {failure}";
    }

    /// <summary>The slot that it streamed by when it was a standby; empty for none, or where it does not say.</summary>
    public string SlotOfItsOwn(Instant until)
    {
        using var session = Open(until, out _);
        return session?.Query(ControlSql.SlotName, until).Value ?? "";
    }

    private PgSession? Open(Instant until, out PgFault? fault) => PgSession.TryOpen(
        settings.Endpoint("rejoin") with { Host = host, Port = port, User = settings.ReplicationUser, Database = settings.ReplicationDatabase, Password = null }, until, out fault);
}
