using System.Text;
using Harepd.Core.Model;
using Harepd.Postgres.Hba;
using Harepd.Tests.Postgres;
using Npgsql;
using Xunit;

namespace Harepd.Tests.Hba;

public sealed class HbaAgainstPostgresTests
{
    private const string Alphabet = "abcdefgh,ab,\"\"\\#@+' ";

    [Fact]
    public void Random_lines_are_read_as_PostgreSQL_reads_them()
    {
        using var server = TestServer.Start("127.30.1.1");
        var random = new Random(20240817);
        var compared = 0;
        for (var round = 0; round < 60; round++)
        {
            var text = RandomFile(random);
            File.WriteAllBytes(server.HbaPath, HbaText.ToBytes(text));

            var expected = AsPostgresReads(server);
            Assert.Equal(expected, AsWeRead(text));
            compared += expected.Count;
        }

        Assert.True(compared > 200, $"only {compared} lines were comparable");
    }

    [Theory]
    [InlineData(Gate.Fenced)]
    [InlineData(Gate.ReadOnly)]
    [InlineData(Gate.ReadWrite)]
    public void PostgreSQL_loads_every_block(Gate gate)
    {
        using var server = TestServer.Start("127.30.1.2");
        var policy = HbaSamples.Policy with
        {
            HaproxyServers = ["10.21.57.65", "fd00::1", "10.0.0.0/24", "fd00::/64", "haproxy.example.com"],
            ReadOnlyUser = "häro \"x\"",
            ExemptUsers = ["repmgr", "all", "a b"],
        };
        const string operators = "local all all trust\nhost all all 10.0.0.0/8 md5\nhostnossl replication,\"d b\" repmgr,\"a b\" 10.0.0.0 255.0.0.0 md5\nhost all +x samenet reject";

        File.WriteAllBytes(server.HbaPath, Encoding.Latin1.GetBytes(operators.With(policy, gate)));

        Assert.Equal("0", server.Query("select count(*) from pg_hba_file_rules where error is not null"));
        server.Query("select pg_reload_conf()");
        Eventually.True(() => server.Log.Contains("received SIGHUP", StringComparison.Ordinal), "the server reloads");
        Assert.DoesNotContain("was not reloaded", server.Log, StringComparison.Ordinal);
    }

    private static string RandomFile(Random random)
    {
        var text = new StringBuilder("local all all trust\n");
        for (var line = 0; line < 40; line++)
        {
            text.Append("host ").Append(Piece(random)).Append(' ').Append(Piece(random)).Append(" 10.0.0.0/8 md5");
            text.Append(random.Next(6) switch { 0 => " \\", 1 => " # c \\", 2 => "\\\\", 3 => "\r", 4 => " #", _ => "" }).Append('\n');
            text.Append(random.Next(4) == 0 ? "\n" : "");
        }

        return text.ToString();
    }

    private static string Piece(Random random) =>
        string.Concat(Enumerable.Range(0, random.Next(1, 7)).Select(_ => Alphabet[random.Next(Alphabet.Length)]));

    // Only lines that PostgreSQL takes without an error show their columns; the others are compared by being absent on both sides.
    private static List<string> AsPostgresReads(TestServer server)
    {
        using var connection = server.Connect();
        using var command = new NpgsqlCommand("select line_number, database, user_name from pg_hba_file_rules where error is null order by line_number", connection);
        using var reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            rows.Add($"{reader.GetInt32(0)} {string.Join('|', reader.GetFieldValue<string[]>(1))} {string.Join('|', reader.GetFieldValue<string[]>(2))}");
        }

        return rows;
    }

    private static List<string> AsWeRead(string text)
    {
        var rows = new List<string>();
        foreach (var line in HbaLine.Read(text))
        {
            var names = line.Fields.Select(field => field.Tokens.Select(token => token.Text).ToArray()).ToArray();
            var isRule = names.Length >= 4 && names[0] is ["local"] && names[3] is ["trust"];
            isRule |= names.Length == 5 && names[0] is ["host"] && names[3] is ["10.0.0.0/8"] && names[4] is ["md5"];
            if (isRule && !line.Fields.SelectMany(field => field.Tokens).Any(token => token.IncludedFile is not null))
            {
                rows.Add($"{line.Number} {string.Join('|', names[1])} {string.Join('|', names[2])}");
            }
        }

        return rows;
    }
}
