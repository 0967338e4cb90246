using Harepd.Core.Decide;
using Harepd.Core.Model;
using static Harepd.Peers.WireLimits;

namespace Harepd.Peers;

/// <summary>What a holder waits for, between the words of the decisions and the words of the wire. Reading throws InvalidArgument and nothing else.</summary>
internal static class SynchronyWire
{
    public static Wire.V1.Synchrony? Write(Synchrony? synchrony)
    {
        if (synchrony is null)
        {
            return null;
        }

        var wire = new Wire.V1.Synchrony { Count = synchrony.Count };
        wire.Names.AddRange(synchrony.Names.Select(name => Clean(name, MaxName)));
        return wire;
    }

    /// <summary>Null where nothing was said.</summary>
    public static Synchrony? Read(Wire.V1.Synchrony? wire) => wire is null ? null
        : wire.Names.Count > Synchrony.MaxNames ? throw Refuse("synchrony.names", $"are more than {Synchrony.MaxNames}")
        : new Synchrony((int)Number(wire.Count, 0, "synchrony.count"), [.. wire.Names.Select(name => Name(name, "synchrony.names"))]);

    public static Wire.V1.SynchronyNote? Write(SynchronyNote? note) => note is null ? null : new Wire.V1.SynchronyNote
    {
        Ballot = VoteWire.Write(note.Ballot),
        System = note.System.Value,
        Timeline = VoteWire.Write(note.Timeline),
        Stated = Write(note.Stated),
    };

    /// <summary>Null where the voter knows of nothing.</summary>
    public static SynchronyNote? Read(Wire.V1.SynchronyNote? wire) => wire is null ? null : new SynchronyNote(
        VoteWire.ReadBallot(wire.Ballot, "note.ballot") ?? throw Refuse("note.ballot", "is missing"),
        new SystemId(wire.System),
        VoteWire.Read(wire.Timeline),
        Read(wire.Stated));
}
