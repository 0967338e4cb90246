namespace Harepd.Core.Model;

/// <summary>What ordinary clients may do on this server (DESIGN section 2). Ordered: a larger value allows more.</summary>
public enum Gate
{
    /// <summary>Nothing: no ordinary client session exists or can begin.</summary>
    Fenced = 0,

    /// <summary>Read-only traffic of HAProxy's check user and clients; the server is a standby.</summary>
    ReadOnly = 1,

    /// <summary>Reads and writes: this member holds the lease.</summary>
    ReadWrite = 2,
}
