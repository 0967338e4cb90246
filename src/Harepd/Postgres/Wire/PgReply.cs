namespace Harepd.Postgres.Wire;

/// <summary>Why a login or a statement gave no answer.</summary>
internal enum PgFaultKind
{
    /// <summary>Nobody listens at the endpoint.</summary>
    NotThere,

    /// <summary>No answer by the deadline.</summary>
    TimedOut,

    /// <summary>The other side ended the connection.</summary>
    Closed,

    /// <summary>The caller's wake event fired while waiting.</summary>
    Interrupted,

    /// <summary>PostgreSQL refused or failed, and said why.</summary>
    Server,

    /// <summary>What came is not PostgreSQL's protocol, or asks for something not supported here.</summary>
    Protocol,
}

/// <summary>A failure, as a value.</summary>
/// <param name="Kind">What sort.</param>
/// <param name="SqlState">PostgreSQL's code where <see cref="Kind"/> is <see cref="PgFaultKind.Server"/>, else empty.</param>
/// <param name="Message">One sentence without secrets.</param>
internal sealed record PgFault(PgFaultKind Kind, string SqlState, string Message)
{
    public const string CannotConnectNow = "57P03";
    public const string TooManyConnections = "53300";
    public const string InsufficientPrivilege = "42501";
    public const string UndefinedDatabase = "3D000";
    public const string UndefinedTable = "42P01";
    public const string UndefinedSchema = "3F000";

    /// <summary>True when the session cannot be used any more.</summary>
    public bool EndsSession { get; init; } = Kind != PgFaultKind.Server;

    public override string ToString() => SqlState.Length > 0 ? $"{Message} ({SqlState})" : Message;
}

/// <summary>The answer to a query text: one table a statement, in order; or a fault.</summary>
/// <param name="Tables">Rows of text values, null for NULL.</param>
/// <param name="Fault">Null when every statement went well.</param>
internal readonly record struct PgReply(IReadOnlyList<IReadOnlyList<string?[]>> Tables, PgFault? Fault)
{
    /// <summary>The column names of the last table; empty when there is none.</summary>
    public IReadOnlyList<string> Columns { get; init; } = [];

    /// <summary>The rows of the first statement that gave any table; empty when there is none.</summary>
    public IReadOnlyList<string?[]> Rows => Tables is [var first, ..] ? first : [];

    /// <summary>The first value of the first row; null when there is none.</summary>
    public string? Value => Rows is [[var value, ..], ..] ? value : null;
}
