using Harepd.Postgres.Wire;

namespace Harepd.Postgres.Watch;

/// <summary>What the probe last found. Kept until the next probe finds otherwise or the run of the server ends.</summary>
/// <param name="LoginFault">Why a fresh connection got no session; null when it did, or none was tried.</param>
/// <param name="WriteTrouble">Why the server cannot write, for people; empty when it can or was not asked.</param>
internal sealed record ProbeFinding(PgFault? LoginFault, string WriteTrouble)
{
    public static readonly ProbeFinding Nothing = new(null, "");
}

/// <summary>What a failed write probe says of the disk.</summary>
internal static class WriteTrouble
{
    private const string DiskFull = "53100";
    private const string IoError = "58030";
    private const string ReadOnlyTransaction = "25006";
    private const string ProgramLimit = "54000";
    private const string QueryCanceled = "57014";

    /// <summary>
    /// The trouble in one sentence; empty when the failure says nothing of writing, such as a session that an operator ended. A statement that did
    /// not end in time counts: its commit waits for the local disk alone.
    /// </summary>
    public static string Of(PgFault fault) => fault switch
    {
        { Kind: PgFaultKind.TimedOut } or { SqlState: QueryCanceled } => "a small write did not reach the disk within the hang timeout",
        { SqlState: DiskFull } => "the disk is full (53100)",
        { SqlState: IoError } => "the disk fails or is read-only (58030)",
        { SqlState: ReadOnlyTransaction } => "the server refuses writes (25006)",
        { SqlState: ProgramLimit } => "the server assigns no transactions until a vacuum (54000)",
        { Kind: PgFaultKind.Server, EndsSession: true, SqlState: "XX000" or "XX001" or "XX002" or "58P01" } => $"a small write ended the server's process ({fault.SqlState})",
        _ => "",
    };
}
