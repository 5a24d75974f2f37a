/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics_serve.c: see metrics_serve.h.
 *
 * Only those who are on this host can connect, and they get a fixed text:
 * few connections, little memory each, five seconds.
 */
#include "sidecar/metrics_serve.h"

#ifdef HAVE_MICROHTTPD
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SERVE_CONNECTIONS 16u
#define SERVE_SECONDS 5u
#define SERVE_MEMORY_BYTES ((size_t)8192)
#define SERVE_BACKLOG 16

struct metrics_server {
	struct MHD_Daemon *daemon;
	metrics_source *source;
	void *user;
	char text[METRICS_TEXT_BYTES];
	char path[108]; /* sun_path; to be removed at the end */
};

static enum MHD_Result
serve_answer(struct metrics_server *server, struct MHD_Connection *connection,
	     unsigned int status)
{
	size_t bytes = 0;
	struct MHD_Response *response;
	enum MHD_Result result;

	if (status == MHD_HTTP_OK)
		bytes = server->source(server->user, server->text);
	response = MHD_create_response_from_buffer(bytes, server->text,
						   MHD_RESPMEM_MUST_COPY);
	if (response == NULL)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				"text/plain; version=0.0.4; charset=utf-8");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result
serve_request(void *user, struct MHD_Connection *connection, const char *url,
	      const char *method, const char *version, const char *upload,
	      size_t *upload_bytes, void **state)
{
	(void)url;
	(void)version;
	(void)upload;
	(void)upload_bytes;
	(void)state;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return serve_answer(user, connection,
				    MHD_HTTP_METHOD_NOT_ALLOWED);
	return serve_answer(user, connection, MHD_HTTP_OK);
}

static socklen_t
serve_unix(const char *path, struct sockaddr_un *address)
{
	struct stat status;

	if (path[0] == '\0' || strlen(path) >= sizeof(address->sun_path))
		return 0;
	address->sun_family = AF_UNIX;
	strcpy(address->sun_path, path);
	if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode))
		unlink(path);
	return sizeof(*address);
}

/* 0 when the text is none of the three forms. */
static socklen_t
serve_address(const char *where, struct sockaddr_storage *address)
{
	struct sockaddr_in *four = (struct sockaddr_in *)address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
	unsigned int port = 0;
	int end = 0;

	memset(address, 0, sizeof(*address));
	if (strncmp(where, "unix:", 5) == 0)
		return serve_unix(where + 5, (struct sockaddr_un *)address);
	if (sscanf(where, "127.0.0.1:%5u%n", &port, &end) == 1 && end > 0 &&
	    where[end] == '\0' && port > 0 && port < 65536) {
		four->sin_family = AF_INET;
		four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		four->sin_port = htons((uint16_t)port);
		return sizeof(*four);
	}
	if (sscanf(where, "[::1]:%5u%n", &port, &end) == 1 && end > 0 &&
	    where[end] == '\0' && port > 0 && port < 65536) {
		six->sin6_family = AF_INET6;
		six->sin6_addr = in6addr_loopback;
		six->sin6_port = htons((uint16_t)port);
		return sizeof(*six);
	}
	return 0;
}

static int
serve_listen(const char *where, const char **why)
{
	struct sockaddr_storage address;
	socklen_t bytes = serve_address(where, &address);
	int yes = 1;
	int fd;

	if (bytes == 0) {
		*why = "not unix:PATH, 127.0.0.1:PORT or [::1]:PORT";
		return -1;
	}
	fd = socket(address.ss_family,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, bytes) == 0 &&
	    listen(fd, SERVE_BACKLOG) == 0)
		return fd;
	*why = strerror(errno);
	if (fd >= 0)
		close(fd);
	return -1;
}

struct metrics_server *
metrics_serve(const char *where, metrics_source *source, void *user,
	      const char **why)
{
	struct metrics_server *server = calloc(1, sizeof(*server));
	int fd;

	*why = "out of memory";
	fd = server == NULL ? -1 : serve_listen(where, why);
	if (fd < 0) {
		free(server);
		return NULL;
	}
	server->source = source;
	server->user = user;
	if (strncmp(where, "unix:", 5) == 0)
		strcpy(server->path, where + 5);
	server->daemon = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, serve_request, server,
		MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, SERVE_CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, SERVE_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, SERVE_MEMORY_BYTES,
		MHD_OPTION_END);
	if (server->daemon == NULL) {
		*why = "libmicrohttpd does not start";
		close(fd);
		free(server);
		return NULL;
	}
	return server;
}

int
metrics_serve_descriptor(const struct metrics_server *server)
{
	const union MHD_DaemonInfo *info;

	if (server == NULL)
		return -1;
	info = MHD_get_daemon_info(server->daemon,
				   MHD_DAEMON_INFO_EPOLL_FD);
	return info == NULL ? -1 : info->epoll_fd;
}

void
metrics_serve_run(struct metrics_server *server)
{
	if (server != NULL)
		MHD_run(server->daemon);
}

void
metrics_serve_end(struct metrics_server **server)
{
	if (*server == NULL)
		return;
	MHD_stop_daemon((*server)->daemon);
	if ((*server)->path[0] != '\0')
		unlink((*server)->path);
	free(*server);
	*server = NULL;
}
#else
struct metrics_server *
metrics_serve(const char *where, metrics_source *source, void *user,
	      const char **why)
{
	(void)where;
	(void)source;
	(void)user;
	*why = "this program was built without libmicrohttpd";
	return NULL;
}

int
metrics_serve_descriptor(const struct metrics_server *server)
{
	(void)server;
	return -1;
}

void
metrics_serve_run(struct metrics_server *server)
{
	(void)server;
}

void
metrics_serve_end(struct metrics_server **server)
{
	*server = NULL;
}
#endif
