using System.Collections.Immutable;
using Harepd.Core.Model;

namespace Harepd.Haproxy;

/// <summary>What one HAProxy said of itself at one moment.</summary>
internal sealed record HaproxyView
{
    /// <summary>When the reading was begun, boot-time clock.</summary>
    public required Instant At { get; init; }

    /// <summary>The worker's process id: another one means a reload or restart, and runtime state that may be lost.</summary>
    public required int Pid { get; init; }

    public required string Version { get; init; }

    /// <summary>
    /// The worker is on its way out: during a reload the old one still accepts on the shared command socket for a moment, and
    /// what it confirms says nothing about the new one.
    /// </summary>
    public bool IsStopping { get; init; }

    public required ImmutableArray<ServerRow> Write { get; init; }

    /// <summary>Empty where reads are not steered.</summary>
    public required ImmutableArray<ServerRow> Read { get; init; }

    /// <summary>Texts that came instead of an empty line, joined; empty when every command was accepted.</summary>
    public string Complaint { get; init; } = "";

    /// <summary>A server's state, and HAProxy's own words where it refused a command.</summary>
    internal string Says(ServerRow row) => Complaint.Length == 0 ? row.ToString() : $"{row} (HAProxy says: {Complaint})";

    /// <summary>The server of that name, or null.</summary>
    internal static ServerRow? Find(ImmutableArray<ServerRow> rows, string name)
    {
        foreach (var row in rows)
        {
            if (string.Equals(row.Name, name, StringComparison.Ordinal))
            {
                return row;
            }
        }

        return null;
    }
}

/// <summary>A reading, or why there is none.</summary>
internal readonly record struct HaproxyReading(HaproxyView? View, string Reason);
