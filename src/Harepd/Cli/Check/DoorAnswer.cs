namespace Harepd.Cli.Check;

/// <summary>How a door answered.</summary>
internal enum DoorState
{
    /// <summary>As it must be.</summary>
    Open = 0,

    /// <summary>It works, and something about it is worth a look.</summary>
    Noted = 1,

    /// <summary>It does not work: the daemon would start and could not do its part.</summary>
    Shut = 2,
}

/// <summary>What <c>check</c> found at one outside thing that the daemon needs.</summary>
/// <param name="Door">What was tried, with its address.</param>
/// <param name="Detail">What was found; where the door is shut, also the mend.</param>
internal sealed record DoorAnswer(string Door, DoorState State, string Detail)
{
    public static DoorAnswer Open(string door, string detail) => new(door, DoorState.Open, detail);

    public static DoorAnswer Noted(string door, string detail) => new(door, DoorState.Noted, detail);

    public static DoorAnswer Shut(string door, string detail) => new(door, DoorState.Shut, detail);
}
