namespace Harepd.Postgres.Control;

/// <summary>What became of an order to the server.</summary>
/// <param name="IsDone">The server took it.</param>
/// <param name="Detail">What was done, or why not; one sentence without secrets.</param>
internal readonly record struct ControlResult(bool IsDone, string Detail)
{
    public static ControlResult Done(string detail) => new(true, detail);

    public static ControlResult Refused(string detail) => new(false, detail);
}
