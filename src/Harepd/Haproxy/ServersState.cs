using System.Collections.Immutable;
using System.Globalization;

namespace Harepd.Haproxy;

/// <summary>Reads <c>show servers state</c>: a version line, a <c>#</c> line naming the columns, one line a server. Pure.</summary>
internal static class ServersState
{
    private const int MostServers = 10_000;

    /// <summary>True when a block is such a table, of whatever backend.</summary>
    internal static bool Is(string block) => block.Contains("# be_id ", StringComparison.Ordinal);

    /// <summary>
    /// Rows of the table; null leaves the reason. Columns are found by name, so versions that add some are read alike, and a
    /// table without the four that routing stands on is refused rather than guessed.
    /// </summary>
    internal static ImmutableArray<ServerRow>? Parse(string block, out string reason)
    {
        var lines = block.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var header = Array.FindIndex(lines, l => l.StartsWith("# be_id ", StringComparison.Ordinal));
        if (header < 0 || lines.Length - header > MostServers)
        {
            reason = header < 0 ? "no table of servers" : "more servers than can be true";
            return null;
        }

        var columns = new Columns(lines[header][2..].Split(' '));
        if (!columns.AreEnough)
        {
            reason = "a table of servers without names and states";
            return null;
        }

        var rows = ImmutableArray.CreateBuilder<ServerRow>();
        foreach (var line in lines.Skip(header + 1).Where(l => !l.StartsWith('#')))
        {
            if (columns.Row(line.Split(' ')) is not { } row)
            {
                reason = "a line that is no server: '" + line[..Math.Min(line.Length, 60)] + "'";
                return null;
            }

            rows.Add(row);
        }

        reason = "";
        return rows.ToImmutable();
    }

    private sealed class Columns(string[] names)
    {
        private readonly int _backend = Array.IndexOf(names, "be_name");
        private readonly int _name = Array.IndexOf(names, "srv_name");
        private readonly int _operational = Array.IndexOf(names, "srv_op_state");
        private readonly int _admin = Array.IndexOf(names, "srv_admin_state");
        private readonly int _address = Array.IndexOf(names, "srv_addr");
        private readonly int _port = Array.IndexOf(names, "srv_port");
        private readonly int _weight = Array.IndexOf(names, "srv_uweight");
        private readonly int _check = Array.IndexOf(names, "srv_check_state");
        private readonly int _agent = Array.IndexOf(names, "srv_agent_state");

        public bool AreEnough => _backend >= 0 && _name >= 0 && _operational >= 0 && _admin >= 0;

        public ServerRow? Row(string[] cells)
        {
            if (cells.Length < names.Length
                || Number(cells, _operational, -1) is not (>= 0 and <= 3 and var operational)
                || Number(cells, _admin, -1) is not (>= 0 and <= 0xFFF and var admin)
                || cells[_name].Length == 0)
            {
                return null;
            }

            return new ServerRow
            {
                Backend = cells[_backend],
                Name = cells[_name],
                Operational = (OperationalState)operational,
                Admin = (AdminState)admin,
                Address = _address < 0 ? "" : _port < 0 ? cells[_address] : $"{cells[_address]}:{cells[_port]}",
                Weight = Number(cells, _weight, 1),
                CheckState = Number(cells, _check, 0),
                AgentState = Number(cells, _agent, 0),
            };
        }

        private static int Number(string[] cells, int column, int otherwise) =>
            column >= 0 && int.TryParse(cells[column], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
                ? value
                : otherwise;
    }
}
