namespace Harepd.Cli;

/// <summary>Exit codes of every command, from BSD's sysexits(3). Stable: unit files and scripts count on them.</summary>
internal static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Ok = 0;

    /// <summary>The command line is wrong (EX_USAGE).</summary>
    public const int Usage = 64;

    /// <summary>Something that is needed does not answer (EX_UNAVAILABLE): a door of <c>check</c>, the local daemon of <c>status</c>.</summary>
    public const int Unavailable = 69;

    /// <summary>A fault of harepd itself (EX_SOFTWARE); the gate was closed before the exit.</summary>
    public const int Internal = 70;

    /// <summary>Try again (EX_TEMPFAIL): another harepd holds the node's lock, or an address is still in use.</summary>
    public const int Temporary = 75;

    /// <summary>The configuration is wrong (EX_CONFIG); nothing was touched.</summary>
    public const int Config = 78;
}
