// Package rabbitmq sells virtual hosts of a RabbitMQ server (3.10, with its management plugin).
//
// An instance is a virtual host with limits (connections, queues) and an operator policy (length of queues); a binding is a user who may do
// everything in that virtual host and nothing outside it. Unbind removes the user and with it every permission, then closes what it had open.
//
// It owns virtual hosts, users and one marker by which a restart of the server is seen. It does not own the server, and keeps nothing in
// this process but whose turn it is: everything is found again at the server by derived names.
package rabbitmq
