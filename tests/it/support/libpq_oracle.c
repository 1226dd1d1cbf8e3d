/*
 * Asks libpq what it makes of connection strings. libpq.so.5 is opened at run time, so that one program serves every
 * version and no header is needed.
 *
 * Standard input: records of a mode byte and a string, each string as a four-byte length (big-endian) and its bytes.
 *   p  string              PQconninfoParse
 *   c  string              PQconninfo of a connection begun with the string: merged with environment and service file
 *   w  string              PQpass of such a connection
 *   a  string              PQconnectdb: whether it connected, where to, over TLS or not, and the error
 *   e  NAME=VALUE          set an environment variable
 *   x                      (an empty string follows) clear all variables that libpq, OpenSSL or Kerberos reads
 * Standard output, for p, c, w and a: one line "no" or "ok keyword=hex keyword=hex …", values that are set only.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

/* libpq-fe.h, struct _PQconninfoOption */
typedef struct
{
	char *keyword;
	char *envvar;
	char *compiled;
	char *val;
	char *label;
	char *dispchar;
	int dispsize;
} Option;

static void *libpq;

static void *symbol(const char *name)
{
	void *found = dlsym(libpq, name);

	if (!found)
	{
		fprintf(stderr, "%s\n", dlerror());
		exit(2);
	}
	return found;
}

static void print_hex(const char *text)
{
	for (; *text; text++)
		printf("%02x", (unsigned char) *text);
}

static void print(Option *options)
{
	if (!options)
	{
		puts("no");
		return;
	}
	fputs("ok", stdout);
	for (Option *option = options; option->keyword; option++)
	{
		if (!option->val)
			continue;
		printf(" %s=", option->keyword);
		print_hex(option->val);
	}
	putchar('\n');
}

/* Whether the options were refused: the connection is bad (1), and not because of an address that was tried. */
static int refused(int status, const char *message)
{
	return status == 1
		&& !strstr(message, "connection to server")
		&& !strstr(message, "could not parse network address")
		&& !strstr(message, "could not translate host name")
		&& !strstr(message, "Unix-domain socket path")
		&& !strstr(message, "invalid port number")
		&& !strstr(message, "invalid integer value");
}

static void clear_environment(void)
{
	for (char **entry = environ; *entry;)
	{
		if (strncmp(*entry, "PG", 2) == 0 || strncmp(*entry, "SSL_", 4) == 0
			|| strncmp(*entry, "OPENSSL_", 8) == 0 || strncmp(*entry, "KRB5", 4) == 0)
		{
			char *name = strndup(*entry, strcspn(*entry, "="));

			unsetenv(name);
			free(name);
			entry = environ;
		}
		else
			entry++;
	}
}

int main(void)
{
	Option *(*parse)(const char *, char **);
	Option *(*conninfo)(void *);
	void *(*start)(const char *);
	int (*status)(const void *);
	char *(*message)(const void *);
	char *(*pass)(const void *);
	void *(*connect)(const char *);
	char *(*host)(const void *);
	char *(*port)(const void *);
	int (*in_tls)(void *);
	void (*finish)(void *);
	void (*release)(Option *);
	void (*release_memory)(void *);

	libpq = dlopen("libpq.so.5", RTLD_NOW);
	if (!libpq)
	{
		fprintf(stderr, "%s\n", dlerror());
		return 2;
	}
	parse = symbol("PQconninfoParse");
	conninfo = symbol("PQconninfo");
	start = symbol("PQconnectStart");
	status = symbol("PQstatus");
	message = symbol("PQerrorMessage");
	pass = symbol("PQpass");
	connect = symbol("PQconnectdb");
	host = symbol("PQhost");
	port = symbol("PQport");
	in_tls = symbol("PQsslInUse");
	finish = symbol("PQfinish");
	release = symbol("PQconninfoFree");
	release_memory = symbol("PQfreemem");

	for (int mode; (mode = getchar()) != EOF;)
	{
		unsigned char head[4];
		size_t length;
		char *text;

		if (fread(head, 1, 4, stdin) != 4)
			return 3;
		length = (size_t) head[0] << 24 | head[1] << 16 | head[2] << 8 | head[3];
		text = calloc(1, length + 1);
		if (fread(text, 1, length, stdin) != length)
			return 3;
		if (mode == 'p')
		{
			char *problem = NULL;
			Option *options = parse(text, &problem);

			print(options);
			release(options);
			release_memory(problem);
		}
		else if (mode == 'c')
		{
			void *connection = start(text);
			Option *options = refused(status(connection), message(connection)) ? NULL : conninfo(connection);

			print(options);
			release(options);
			finish(connection);
		}
		else if (mode == 'w')
		{
			void *connection = start(text);

			fputs("ok PQpass=", stdout);
			print_hex(pass(connection));
			putchar('\n');
			finish(connection);
		}
		else if (mode == 'a')
		{
			void *connection = connect(text);

			printf("ok connected=%s tls=%s host=", status(connection) == 0 ? "31" : "30",
				   in_tls(connection) ? "31" : "30");
			print_hex(host(connection) ? host(connection) : "");
			fputs(" port=", stdout);
			print_hex(port(connection) ? port(connection) : "");
			fputs(" error=", stdout);
			print_hex(message(connection));
			putchar('\n');
			finish(connection);
		}
		else if (mode == 'e')
		{
			putenv(text);
			continue; /* putenv keeps the string */
		}
		else
			clear_environment();
		free(text);
	}
	return 0;
}
