-- A thousand orders, inserted by a recursive query: an index, a join, groups, an order.
pragma page_size = 1024;
create table customer(id integer primary key, name text, city text);
insert into customer values
  (1, 'Ada', 'London'), (2, 'Blaise', 'Paris'), (3, 'Carl', 'Brunswick'), (4, 'Daniel', 'Basel'),
  (5, 'Emmy', 'Erlangen'), (6, 'Felix', 'Leipzig'), (7, 'Grace', 'New York');
create table orders(id integer primary key, customer integer, cents integer);
create index by_customer on orders(customer, cents);
insert into orders
  with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000)
  select i, i * i % 7 + 1, i * 7919 % 10007 from n;
select count(*), sum(cents), min(cents), max(cents) from orders;
select c.name, count(*) as orders, sum(o.cents) as total
  from customer c join orders o on o.customer = c.id
  group by c.id order by total desc, c.id;
select id, cents from orders where customer = 5 and cents > 9900 order by cents desc, id;
