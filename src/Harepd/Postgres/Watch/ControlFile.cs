using System.Buffers.Binary;
using Harepd.Core.Model;
using Harepd.Core.Observe;

namespace Harepd.Postgres.Watch;

/// <summary>
/// The head of <c>global/pg_control</c>, for the time when no server can be asked. Its fields have kept their places since PostgreSQL 9.3
/// (<c>src/include/catalog/pg_control.h</c>: system identifier, control version, catalogue version, state). The state is stale early in crash
/// recovery, so it is believed only while no postmaster runs.
/// </summary>
/// <param name="SystemId">The cluster's identifier.</param>
/// <param name="State">PostgreSQL's <c>DBState</c>.</param>
/// <param name="Checkpoint">Where the last checkpoint's record begins (<c>checkPoint</c>; at this place since PostgreSQL 9.3, too).</param>
/// <param name="Timeline">Of that checkpoint (<c>checkPointCopy.ThisTimeLineID</c>; there since PostgreSQL 11).</param>
internal readonly record struct ControlFile(SystemId SystemId, ControlState State, Lsn Checkpoint, uint Timeline)
{
    private const int OldestVersion = 900;
    private const int NewestVersion = 9999;

    /// <summary>True after a stop that wrote its checkpoint.</summary>
    public bool IsShutDown => State is ControlState.ShutDown or ControlState.ShutDownInRecovery;

    /// <summary>The same with what lies beside it, in the words of the decisions. After a clean stop the record of the last checkpoint begins just before the end.</summary>
    public DiskState In(string dataDirectory, TimelineHistory history) => new(
        new TimelinePoint(Timeline, Timeline > 1 ? history.SwitchOf(Timeline, dataDirectory) : default),
        IsShutDown ? new Lsn(Checkpoint.Value + 1) : default,
        State is ControlState.ShutDownInRecovery or ControlState.InArchiveRecovery
            || File.Exists(Path.Combine(dataDirectory, "standby.signal")) || File.Exists(Path.Combine(dataDirectory, "recovery.signal")));

    /// <summary>Null when the file is missing, unreadable, or none of this machine's byte order and a known form.</summary>
    public static ControlFile? Read(string? dataDirectory)
    {
        if (dataDirectory is null)
        {
            return null;
        }

        Span<byte> head = stackalloc byte[52];
        try
        {
            using var file = new FileStream(Path.Combine(dataDirectory, "global", "pg_control"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length)
            {
                return null;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        var version = BinaryPrimitives.ReadUInt32LittleEndian(head[8..]);
        var state = BinaryPrimitives.ReadInt32LittleEndian(head[16..]);
        if (version is < OldestVersion or > NewestVersion || !Enum.IsDefined((ControlState)state))
        {
            return null;
        }

        var checkpoint = new Lsn(BinaryPrimitives.ReadUInt64LittleEndian(head[32..]));
        var timeline = BinaryPrimitives.ReadUInt32LittleEndian(head[48..]);
        return new ControlFile(new SystemId(BinaryPrimitives.ReadUInt64LittleEndian(head)), (ControlState)state, checkpoint, timeline);
    }
}

/// <summary>PostgreSQL's <c>DBState</c>, number for number.</summary>
internal enum ControlState
{
    StartUp = 0,
    ShutDown = 1,
    ShutDownInRecovery = 2,
    ShuttingDown = 3,
    InCrashRecovery = 4,
    InArchiveRecovery = 5,
    InProduction = 6,
}
