namespace Harepd.Config;

/// <summary>Which halves of the daemon run in this process; the names and flags are the Go daemon's.</summary>
internal enum DaemonMode
{
    /// <summary>Answers, votes, observes, decides and acts: the usual shape of a data node (no flag).</summary>
    Both = 0,

    /// <summary>Answers and votes only: a witness, or the server half of a split node (<c>--server-only</c>). Needs no PostgreSQL.</summary>
    ServerOnly = 1,

    /// <summary>Observes, asks, decides and acts; its own voter is the server process beside it (<c>--client-only</c>).</summary>
    ClientOnly = 2,
}
