using Harepd.Postgres.Hba;
using Xunit;

namespace Harepd.Tests.Hba;

public sealed class HbaTokenizerTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("   # only a comment", "")]
    [InlineData("host all all 10.0.0.1/32 md5", "host|all|all|10.0.0.1/32|md5")]
    [InlineData("host\tall  all\t10.0.0.1/32 md5\r", "host|all|all|10.0.0.1/32|md5")]
    [InlineData("host a,b c, d 10.0.0.1/32 md5", "host|a+b|c+d|10.0.0.1/32|md5")]
    [InlineData("host a ,b all", "host|a|b|all")]
    [InlineData("host all all 10.0.0.1/32 md5#comment", "host|all|all|10.0.0.1/32|md5")]
    [InlineData("host \"my db\" \"a\"\"b\" x", "host|'my db|'a\"b|x")]
    [InlineData("host al\"l\" \"#x\" y", "host|all|'#x|y")]
    [InlineData("host \"\" x", "host|'|x")]
    [InlineData("host \"never closed md5", "host|'never closed md5")]
    [InlineData("host a,,b,", "host|a+b")]
    [InlineData("host a\0 b", "host|a")]
    public void Fields_are_those_of_PostgreSQL(string line, string expected)
    {
        var fields = HbaTokenizer.Fields(line).Select(field => string.Join('+', field.Tokens.Select(token => (token.IsQuoted ? "'" : "") + token.Text)));

        Assert.Equal(expected, string.Join('|', fields));
    }

    [Fact]
    public void A_field_knows_where_it_is_written()
    {
        var line = HbaLine.Read("host \"a b\", c  all 10.0.0.0 255.0.0.0 ldap ldapserver=\"x y\" # why\n")[0];

        Assert.Equal("\"a b\", c", line.Raw(1));
        Assert.Equal("10.0.0.0 255.0.0.0 ldap ldapserver=\"x y\"", line.RawFrom(3));
    }

    [Theory]
    [InlineData("# comment \\\nhost a\nhost b\n", 2)]
    [InlineData("a \\\r\nb\nc", 2)]
    [InlineData("a\\\\\n\nb\n", 2)]
    [InlineData("a\\", 1)]
    [InlineData("\n\n", 2)]
    public void A_backslash_joins_lines_also_in_a_comment(string text, int lines)
    {
        var read = HbaLine.Read(text);

        Assert.Equal(lines, read.Count);
        Assert.Equal(text, string.Concat(read.Select(line => text[line.Start..line.End])));
    }

    [Fact]
    public void Two_backslashes_before_an_empty_line_join_once()
    {
        Assert.Equal(["a\\", "b"], HbaLine.Read("a\\\\\n\nb\n").Select(line => line.Joined));
    }
}
