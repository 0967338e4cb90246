using Harepd.Core.Model;

namespace Harepd.Postgres.Control;

/// <summary>What became of the order to stop the server.</summary>
/// <param name="IsDone">It was stopped cleanly, or had been.</param>
/// <param name="End">A standby that received up to here has all that was ever written; zero unless done.</param>
/// <param name="Detail">One sentence.</param>
internal readonly record struct StopResult(bool IsDone, Lsn End, string Detail)
{
    public static StopResult Refused(string detail) => new(false, default, detail);
}
