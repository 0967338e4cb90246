namespace Harepd.Config;

/// <summary>The history of decisions beyond its file.</summary>
/// <param name="Table">Keep it in the table <c>harepd.history</c> too.</param>
/// <param name="Rows">How many rows that table keeps.</param>
internal sealed record HistoryConfig(bool Table = false, int Rows = 10_000)
{
    /// <summary>0 where there is no table to be kept.</summary>
    public int RowsToKeep => Table ? Rows : 0;
}
